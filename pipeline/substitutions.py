"""The values that only a deployment knows: `${Name}` in the definition, filled in by CloudFormation.

`infra` passes exactly these names as the state machine's definition substitutions.
"""

from __future__ import annotations

from enum import StrEnum


class Substitution(StrEnum):
    """Every substitution of the definitions."""

    PARTITION = "Partition"
    """The AWS partition, for the resources of service integrations."""
    VALIDATE_INPUT_FUNCTION_ARN = "ValidateInputFunctionArn"
    DECIDE_PROMOTION_FUNCTION_ARN = "DecidePromotionFunctionArn"
    STAGE_RELEASE_FUNCTION_ARN = "StageReleaseFunctionArn"
    VERIFY_DEPLOYMENT_FUNCTION_ARN = "VerifyDeploymentFunctionArn"
    SMOKE_TEST_FUNCTION_ARN = "SmokeTestFunctionArn"
    PUBLISH_RELEASE_FUNCTION_ARN = "PublishReleaseFunctionArn"
    CLEAN_UP_FUNCTION_ARN = "CleanUpFunctionArn"
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
    WRITE_EXPLAIN_CONFIGURATION_FUNCTION_ARN = "WriteExplainConfigurationFunctionArn"
    SUMMARIZE_EXPLANATION_FUNCTION_ARN = "SummarizeExplanationFunctionArn"
    COLLECT_CAPTURES_FUNCTION_ARN = "CollectCapturesFunctionArn"
    PUBLISH_DRIFT_FUNCTION_ARN = "PublishDriftFunctionArn"
    KMS_KEY_ARN = "KmsKeyArn"
    """Encrypts what jobs write, their volumes, and captured data."""
    MODEL_PACKAGE_GROUP_NAME = "ModelPackageGroupName"
    REQUESTS_TABLE_NAME = "RequestsTableName"
    """The anomaly service's requests; of its own machines only."""
    NOTIFICATION_TOPIC_ARN = "NotificationTopicArn"
    """Where the workflow reports deployed, rejected and failed."""
    ENDPOINT_ERRORS_ALARM_NAME = "EndpointErrorsAlarmName"
    """Rolls a deployment back when the endpoint answers with 5xx."""
    ENDPOINT_LATENCY_ALARM_NAME = "EndpointLatencyAlarmName"
    """Rolls a deployment back when the endpoint is slow."""

    @property
    def placeholder(self) -> str:
        """The text that stands in the definition."""
        return f"${{{self.value}}}"


OF_DRIFT = frozenset({Substitution.COLLECT_CAPTURES_FUNCTION_ARN, Substitution.PUBLISH_DRIFT_FUNCTION_ARN})
"""Those that only the state machine of the attribution drift monitor has."""

OF_EXPLANATIONS = frozenset(
    {
        Substitution.ANALYSIS_CODE_URI,
        Substitution.WRITE_EXPLAIN_CONFIGURATION_FUNCTION_ARN,
        Substitution.SUMMARIZE_EXPLANATION_FUNCTION_ARN,
    }
)
"""Those that only the definition of a workload that explains its models has."""
