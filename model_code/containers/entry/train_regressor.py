"""Script mode's training entry: fits the regressor."""

from containers.regression.train import main

if __name__ == "__main__":
    main()
