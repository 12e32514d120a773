"""The Glue job's script. What it runs is in the wheel that the job installs."""

from spark.job import main

if __name__ == "__main__":
    main()
