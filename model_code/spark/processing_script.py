"""The script of the Glue job that makes a graph of tables. What it runs is in the wheel that the job
installs."""

from spark.fraud.job import main

if __name__ == "__main__":
    main()
