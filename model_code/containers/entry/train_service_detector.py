"""Script mode's training entry: fits a detector of the anomaly service."""

from containers.service.fit_job import main

if __name__ == "__main__":
    main()
