"""Script mode's training entry: a model of the anomaly service becomes a workload's detector."""

from containers.service.adoption import main

if __name__ == "__main__":
    main()
