"""Script mode's training entry: tries candidates of the anomaly service's search."""

from containers.service.search_job import main

if __name__ == "__main__":
    main()
