"""Scores that can be read back: merged every hour, and known to Athena."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from infra.constructs.python_function import PythonFunction
from infra.constructs.scores_tables import ScoresTables
from infra.constructs.work_queue import DeadLetterQueue
from infra.permissions import (
    list_keys,
    permit,
    read_encrypted_objects,
    read_objects,
    write_encrypted_objects,
    write_objects,
)
from infra.storage import StorageStack
from lambdas.history.merge_scores import MergeScoresEnvironment
from lambdas.history.read_scores import ReadScoresEnvironment
from watchkeeper.core import layout

MEMORY_MB, TIMEOUT_SECONDS = 3008, 900
"""An hour of 100,000 series of five minutes is 1.2 million rows, which are held at once."""
READING_MEMORY_MB, READING_SECONDS = 1769, 27
"""A whole processor; API Gateway gives up after 30 seconds."""
MINUTE = 20
"""After the hour: `lambdas.history.merging` takes an hour for over a quarter of one later."""


class HistoryStack(Stack):
    """The functions that merge scores objects and read them, and the tables over what is merged.

    Parameters
    ----------
    code
        Bundle of the functions that need pyarrow.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: Path,
        storage: StorageStack,
        **stack_options: Any,
    ) -> None:
        super().__init__(scope, construct_id, **stack_options)
        bucket = storage.bucket
        self.merge_scores = PythonFunction(
            self,
            "MergeScores",
            code=code,
            environment=MergeScoresEnvironment(data_bucket=bucket.bucket_name),
            purpose="Merges scores objects by hour and by day into Parquet, sorted by series",
            memory_mb=MEMORY_MB,
            timeout_seconds=TIMEOUT_SECONDS,
        )
        written = (f"{layout.SCORES_BY_HOUR}/*", f"{layout.SCORES_BY_DAY}/*")
        permit(
            self.merge_scores.role,
            list_keys(bucket, layout.SCORES),
            read_objects(self, bucket, f"{layout.SCORES}/*", *written),
            write_objects(self, bucket, *written),
            write_encrypted_objects(storage.key),
        )
        self.read_scores = PythonFunction(
            self,
            "ReadScores",
            code=code,
            environment=ReadScoresEnvironment(data_bucket=bucket.bucket_name),
            purpose="Reads the scores of a series back, for the anomaly service",
            memory_mb=READING_MEMORY_MB,
            timeout_seconds=READING_SECONDS,
        )
        permit(
            self.read_scores.role,
            list_keys(bucket, layout.SCORES),
            read_objects(self, bucket, f"{layout.SCORES}/*", *written),
            read_encrypted_objects(storage.key),
        )
        self.lost_runs = DeadLetterQueue(self, "LostRuns").queue
        events.Rule(
            self,
            "EveryHour",
            description="Merges the scores of the hour before",
            schedule=events.Schedule.cron(minute=str(MINUTE)),
            targets=[targets.LambdaFunction(self.merge_scores.function, dead_letter_queue=self.lost_runs)],
        )
        ScoresTables(self, "Tables", bucket=bucket)
        CfnOutput(self, "MergeScoresFunctionName", value=self.merge_scores.function.function_name)
        CfnOutput(self, "ReadScoresFunctionName", value=self.read_scores.function.function_name)
