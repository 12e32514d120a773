"""Script mode's training entry: fits the preprocessor."""

from containers.anomaly.preprocess import main

if __name__ == "__main__":
    main()
