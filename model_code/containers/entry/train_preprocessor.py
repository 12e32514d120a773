"""Script mode's training entry: fits the preprocessor."""

from containers.anomaly.preprocessor import main

if __name__ == "__main__":
    main()
