"""What Athena knows of the scores: two tables over Parquet, whose partitions follow from their names."""

from __future__ import annotations

from aws_cdk import Aws
from aws_cdk import aws_glue as glue
from aws_cdk import aws_s3 as s3
from constructs import Construct

from watchkeeper.anomalies.merged import COLUMNS, DATABASE, DAYS, HOURS
from watchkeeper.core import layout

FIRST_DAY = "2026-01-01"
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"


class ScoresTables(Construct):
    """A database with a table of whole days, up to the day before yesterday, and one of hours since.

    So no interval is in both, although hours stay for a while after their day is merged. Partitions are
    projected (https://docs.aws.amazon.com/athena/latest/ug/partition-projection.html): nothing is crawled or
    added. `workload` is injected: a query names it.
    """

    def __init__(self, scope: Construct, construct_id: str, *, bucket: s3.IBucket) -> None:
        super().__init__(scope, construct_id)
        database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=Aws.ACCOUNT_ID,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=DATABASE, description="Watchkeeper: what the scoring loop has written"
            ),
        )
        for name, prefix, days in (
            (DAYS, layout.SCORES_BY_DAY, f"{FIRST_DAY},NOW-2DAYS"),
            (HOURS, layout.SCORES_BY_HOUR, "NOW-1DAYS,NOW"),
        ):
            place = f"s3://{bucket.bucket_name}/{prefix}/"
            table = glue.CfnTable(
                self,
                "".join(part.capitalize() for part in name.split("_")),
                catalog_id=Aws.ACCOUNT_ID,
                database_name=DATABASE,
                table_input=glue.CfnTable.TableInputProperty(
                    name=name,
                    description=f"Scored intervals, days {days} of their delivery",
                    table_type="EXTERNAL_TABLE",
                    partition_keys=[_column("workload", "string"), _column("day", "string")],
                    parameters={
                        "EXTERNAL": "TRUE",
                        "classification": "parquet",
                        "projection.enabled": "true",
                        "projection.workload.type": "injected",
                        "projection.day.type": "date",
                        "projection.day.format": "yyyy-MM-dd",
                        "projection.day.range": days,
                        "projection.day.interval": "1",
                        "projection.day.interval.unit": "DAYS",
                        "storage.location.template": f"{place}workload=${{workload}}/date=${{day}}/",
                    },
                    storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                        location=place,
                        columns=[_column(column, kind) for column, kind in COLUMNS.items()],
                        input_format=f"{_PARQUET}.MapredParquetInputFormat",
                        output_format=f"{_PARQUET}.MapredParquetOutputFormat",
                        serde_info=glue.CfnTable.SerdeInfoProperty(
                            serialization_library=f"{_PARQUET}.serde.ParquetHiveSerDe"
                        ),
                    ),
                ),
            )
            table.add_resource_dependency(database)


def _column(name: str, kind: str) -> glue.CfnTable.ColumnProperty:
    return glue.CfnTable.ColumnProperty(name=name, type=kind)
