"""Script mode's training entry: fits the fraud model."""

from containers.fraud.train import main

if __name__ == "__main__":
    main()
