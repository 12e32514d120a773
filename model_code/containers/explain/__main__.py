"""Entry of the processing job: `python -m containers.explain`."""

from containers.explain.job import main

if __name__ == "__main__":
    main()
