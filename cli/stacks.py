"""Where things are: the deployed stacks say so by their outputs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import boto3
from botocore.exceptions import ClientError

from cli.failures import StepFailedError
from watchkeeper.core import layout

STORAGE = "WatchkeeperStorage"
ALERTING = "WatchkeeperAlerting"
FLEET = "WatchkeeperFleet"


@dataclass(frozen=True)
class Deployment:
    """The deployed stacks of the session's account and region."""

    session: boto3.Session

    def output(self, stack: str, name: str) -> str:
        """Return a stack's output.

        Raises
        ------
        StepFailedError
            If the stack is not deployed, or has no such output.
        """
        outputs = self.outputs(stack)
        if name not in outputs:
            raise StepFailedError(
                f"stack {stack} has no output {name}: deploy this version with `watchkeeper deploy`"
            )
        return outputs[name]

    def outputs(self, stack: str) -> dict[str, str]:
        """Return all outputs of a stack; see `output`."""
        try:
            found = self.session.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationError":
                raise StepFailedError(
                    f"stack {stack} is not deployed in region {self.session.region_name}: "
                    "run `watchkeeper deploy`"
                ) from error
            raise
        return {item["OutputKey"]: item["OutputValue"] for item in found.get("Outputs", [])}

    @cached_property
    def bucket(self) -> str:
        """Name of the data bucket."""
        return self.output(STORAGE, "DataBucketName")

    @cached_property
    def incidents_table(self) -> str:
        """Name of the table of incidents."""
        return self.output(STORAGE, "IncidentsTableName")

    @cached_property
    def series_table(self) -> str:
        """Name of the table of releases, and of where feedback has moved thresholds."""
        return self.output(STORAGE, "SeriesTableName")

    @cached_property
    def alert_topic_arn(self) -> str:
        """The topic of alerts."""
        return self.output(ALERTING, "AlertTopicArn")

    @cached_property
    def alert_bus(self) -> str:
        """Name of the alert bus."""
        return self.output(ALERTING, "AlertBusName")

    def state_machine_arn(self, workload: str) -> str:
        """The training workflow of a workload."""
        return self.output(layout.workload_stack(workload), "StateMachineArn")

    def drift_state_machine_arn(self, workload: str) -> str:
        """The attribution drift monitor of a workload that has `explain.drift`.

        Raises
        ------
        StepFailedError
            If it has none.
        """
        return self.output(layout.workload_stack(workload), "DriftStateMachineArn")
