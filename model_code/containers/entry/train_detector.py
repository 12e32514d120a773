"""Script mode's training entry: lets the streaming detector learn."""

from containers.anomaly.train_detector import main

if __name__ == "__main__":
    main()
