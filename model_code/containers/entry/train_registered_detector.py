"""Script mode's training entry: a model of the anomaly service becomes a workload's detector."""

from containers.service.adopt_job import main

if __name__ == "__main__":
    main()
