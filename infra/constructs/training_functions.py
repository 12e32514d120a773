"""The functions that the training workflows call, shared by all workloads."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.python_function import PythonFunction
from infra.permissions import sagemaker_arns
from lambdas.runtime.typed_environment import TypedEnvironment
from lambdas.steps.clean_up import CleanUpEnvironment
from lambdas.steps.decide_promotion import DecidePromotionEnvironment
from lambdas.steps.publish_release import PublishReleaseEnvironment
from lambdas.steps.smoke_test import SmokeTestEnvironment
from lambdas.steps.stage_release import StageReleaseEnvironment
from lambdas.steps.summarize_explanation import SummarizeExplanationEnvironment
from lambdas.steps.validate_input import ValidateInputEnvironment
from lambdas.steps.verify_deployment import VerifyDeploymentEnvironment
from lambdas.steps.write_explain_configuration import WriteExplainConfigurationEnvironment


class ExplanationFunctions(NamedTuple):
    """What the workflows that explain their models call besides."""

    write_explain_configuration: PythonFunction
    summarize_explanation: PythonFunction


class TrainingFunctions(Construct):
    """One function a verb; the stack grants what each may do.

    Parameters
    ----------
    service_models
        Name of the model package group of the anomaly service.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: Path,
        bucket: s3.IBucket,
        series: dynamodb.ITable,
        service_models: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._code = code
        table = series.table_name
        self.validate_input = self._function(
            "ValidateInput",
            ValidateInputEnvironment(
                data_bucket=bucket.bucket_name,
                series_table=table,
                service_models_arn=sagemaker_arns(self, "model-package", [service_models])[0],
            ),
            "Checks an execution's input and names the run",
        )
        self.decide_promotion = self._function(
            "DecidePromotion", DecidePromotionEnvironment(), "Applies the promotion rule to an evaluation"
        )
        self.stage_release = self._function(
            "StageRelease",
            StageReleaseEnvironment(series_table=table),
            "Records a release before it can answer a request",
        )
        self.verify_deployment = self._function(
            "VerifyDeployment",
            VerifyDeploymentEnvironment(),
            "Asserts that the live configuration is the requested one",
        )
        self.smoke_test = self._function(
            "SmokeTest", SmokeTestEnvironment(), "Compares the endpoint's scores of known rows"
        )
        self.publish_release = self._function(
            "PublishRelease", PublishReleaseEnvironment(series_table=table), "Makes a release the live one"
        )
        self.clean_up = self._function(
            "CleanUp", CleanUpEnvironment(series_table=table), "Removes what a failed run made"
        )
        self.of_every_workflow = [
            self.validate_input,
            self.decide_promotion,
            self.stage_release,
            self.verify_deployment,
            self.smoke_test,
            self.publish_release,
            self.clean_up,
        ]

    def add_explanation(self) -> ExplanationFunctions:
        """Add the functions around an explain job; without a workload that explains there are none."""
        return ExplanationFunctions(
            self._function(
                "WriteExplainConfiguration",
                WriteExplainConfigurationEnvironment(),
                "Writes what an explain job is asked for",
            ),
            self._function(
                "SummarizeExplanation",
                SummarizeExplanationEnvironment(),
                "Says in words what an explain job found",
            ),
        )

    def _function(self, construct_id: str, environment: TypedEnvironment, purpose: str) -> PythonFunction:
        return PythonFunction(self, construct_id, code=self._code, environment=environment, purpose=purpose)
