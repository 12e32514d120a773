"""The values that only a deployment knows: `${Name}` in the definition, filled in by CloudFormation.

`infra` passes exactly these names, and the functions' of `pipeline.step`, as the state machine's definition
substitutions.
"""

from __future__ import annotations

from enum import StrEnum


class Substitution(StrEnum):
    """Every substitution but the functions'."""

    PARTITION = "Partition"
    """The AWS partition, for the resources of service integrations."""
    JOB_ROLE_ARN = "JobRoleArn"
    """Assumed by SageMaker for the run's processing and training jobs."""
    MODEL_ROLE_ARN = "ModelRoleArn"
    """Assumed by SageMaker for models: transform jobs and the endpoint."""
    MODEL_CODE_URI = "ModelCodeUri"
    """`s3://…/….tar.gz`: the script-mode source that `pipeline.packaging` builds."""
    MODEL_CODE_ARCHIVE_NAME = "ModelCodeArchiveName"
    """Last part of `ModelCodeUri`."""
    ANALYSIS_CODE_URI = "AnalysisCodeUri"
    """The source of the jobs that explain: with the packages that only they need."""
    FRAUD_CODE_URI = "FraudCodeUri"
    """The source of the training of a fraud model: with the packages that only it needs."""
    FRAUD_CODE_ARCHIVE_NAME = "FraudCodeArchiveName"
    """Last part of `FraudCodeUri`."""
    KMS_KEY_ARN = "KmsKeyArn"
    """Encrypts what jobs write, their volumes, and captured data."""
    MODEL_PACKAGE_GROUP_NAME = "ModelPackageGroupName"
    REQUESTS_TABLE_NAME = "RequestsTableName"
    """The anomaly service's requests; of its own machines only."""
    NOTIFICATION_TOPIC_ARN = "NotificationTopicArn"
    """Where the workflow reports deployed, rejected and failed."""
    SIMULATE_FUNCTION_ARN = "SimulateFunctionArn"
    """Sends transactions of a generated world; of the simulator only."""
    ENDPOINT_ERRORS_ALARM_NAME = "EndpointErrorsAlarmName"
    """Rolls a deployment back when the endpoint answers with 5xx."""
    ENDPOINT_LATENCY_ALARM_NAME = "EndpointLatencyAlarmName"
    """Rolls a deployment back when the endpoint is slow."""

    @property
    def placeholder(self) -> str:
        """The text that stands in the definition."""
        return placeholder(self.value)


def placeholder(name: str) -> str:
    """Return the text that stands in a definition for a substitution."""
    return f"${{{name}}}"
