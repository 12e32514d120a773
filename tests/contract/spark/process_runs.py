"""What Spark's own Python runs for the tests: several runs in one session; what became of each, as JSON."""

import json
import sys
from pathlib import Path

from pyspark.sql import SparkSession

from spark.fraud.job import SETTINGS, Arguments, process
from watchkeeper.core.errors import InvalidInputError


def main() -> None:
    """Process the runs whose arguments are in the file that is named; write outcomes beside it."""
    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    for host in ("bindAddress", "host"):
        builder = builder.config(f"spark.driver.{host}", "127.0.0.1")
    # so few rows are not worth planning and compiling for
    few = {
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    }
    for name, value in {**SETTINGS, **few}.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    runs, outcomes = Path(sys.argv[1]), []
    for argv in json.loads(runs.read_text()):
        try:
            outcomes.append(process(spark, Arguments.parse(argv)))
        except InvalidInputError as error:
            outcomes.append({"reason": error.reason, "message": str(error)})
        spark.catalog.clearCache()
    runs.with_suffix(".outcomes").write_text(json.dumps(outcomes))


if __name__ == "__main__":
    main()
