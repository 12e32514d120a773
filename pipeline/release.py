"""From an approved model to one that serves: register, deploy behind alarms, verify, publish."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stepfunctions.steps.choice_rule import ChoiceRule
from stepfunctions.steps.states import Choice, Pass, State, Task, Wait

from pipeline.contracts import path
from pipeline.evaluation import SCORES_TYPE
from pipeline.jobs import Jobs
from pipeline.serving import ServedModel
from pipeline.settings import InstanceHosting, Rollout, ServerlessHosting
from pipeline.step import STAGE_RELEASE
from pipeline.substitutions import Substitution
from pipeline.tasks import JsonObject, formatted, run_state, service_task
from watchkeeper.core import layout

POLL_SECONDS = 5
MAX_POLLS = 2880
"""Four hours: more than the longest deployment with its two periods of watching."""
DEPLOYMENT_SECONDS = 3600
"""Time for a deployment beside those periods."""
CONTAINER_START_SECONDS = 600

IN_PROGRESS = ("Creating", "Updating", "SystemUpdating", "RollingBack")


def register_model_package(
    jobs: Jobs,
    served: ServedModel,
    *,
    name: str = "RegisterModelPackage",
    more_metrics: JsonObject | None = None,
    row_types: Sequence[str] = ("text/csv",),
) -> Task:
    """Register the model with its metrics; a package of a group takes its tags from the group.

    Parameters
    ----------
    name
        Of the state, where a workflow has several ways to it.
    more_metrics
        Of the package's `ModelMetrics`, beside the quality.
    row_types
        Content types of requests.
    """
    return service_task(
        name,
        "aws-sdk:sagemaker:createModelPackage",
        {
            "ModelPackageGroupName": Substitution.MODEL_PACKAGE_GROUP_NAME.placeholder,
            "ModelPackageDescription": formatted("Trained by execution {}", path("run.execution_arn")),
            # Approved when it is published: nobody serves a model whose deployment failed.
            "ModelApprovalStatus": "PendingManualApproval",
            "InferenceSpecification": {
                "Containers": served.containers(),
                "SupportedContentTypes": list(row_types),
                "SupportedResponseMIMETypes": ["application/json", SCORES_TYPE],
                "SupportedTransformInstanceTypes": [jobs.settings.job_instance],
                "SupportedRealtimeInferenceInstanceTypes": [jobs.settings.endpoint_instance],
            },
            "ModelMetrics": {
                "ModelQuality": {
                    "Statistics": {
                        "ContentType": "application/json",
                        "S3Uri": formatted("{}statistics.json", path("run.uris.evaluation")),
                    }
                },
                **(more_metrics or {}),
            },
            "CustomerMetadataProperties": {
                "workload": jobs.settings.workload,
                "run": path("run.run_id"),
                "model": path("run.names.model"),
                "execution": path("run.execution_arn"),
            },
        },
        keep={"arn": "$.ModelPackageArn"},
    )


def stage_release(jobs: Jobs, **more: Any) -> Task:
    """Record what is known of the registered model."""
    return run_state(STAGE_RELEASE, jobs.settings.workload, model_package_arn=path("package.arn"), **more)


def create_endpoint_config(jobs: Jobs) -> Task:
    """Describe how the model is served: its variant, its capacity, and which requests are captured."""
    serving = jobs.settings.endpoint
    variant: JsonObject = {
        "VariantName": layout.VARIANT,
        "ModelName": path("run.names.model"),
    }
    parameters: JsonObject = {
        "EndpointConfigName": path("run.names.endpoint_config"),
        "ProductionVariants": [variant],
        "Tags": jobs.tag_list,
    }
    match serving.hosting:
        case InstanceHosting(instance_type, instance_count):
            variant |= {
                "InstanceType": instance_type,
                "InitialInstanceCount": instance_count,
                "InitialVariantWeight": 1,
                "ContainerStartupHealthCheckTimeoutInSeconds": CONTAINER_START_SECONDS,
            }
            parameters["KmsKeyId"] = Substitution.KMS_KEY_ARN.placeholder
            if serving.capture_percent:
                parameters["DataCaptureConfig"] = _data_capture(serving.capture_percent)
        case ServerlessHosting(memory_mb, max_concurrency):
            variant["ServerlessConfig"] = {"MemorySizeInMB": memory_mb, "MaxConcurrency": max_concurrency}
    return service_task("CreateEndpointConfig", "aws-sdk:sagemaker:createEndpointConfig", parameters)


def find_endpoint(jobs: Jobs) -> Task:
    """Look for the endpoint now: it may have come or gone since the run began."""
    name = layout.endpoint_name(jobs.settings.workload)
    return service_task(
        "FindEndpoint",
        "aws-sdk:sagemaker:listEndpoints",
        {"NameContains": name, "MaxResults": 100},
        keep={"exists": f"States.ArrayContains($.Endpoints[*].EndpointName, '{name}')"},
    )


def create_endpoint(jobs: Jobs) -> Task:
    """Make the workload's endpoint."""
    return service_task(
        "CreateEndpoint",
        "sagemaker:createEndpoint",
        {
            "EndpointName": path("run.names.endpoint"),
            "EndpointConfigName": path("run.names.endpoint_config"),
            "Tags": [{"Key": "watchkeeper:workload", "Value": jobs.settings.workload}],
        },
    )


def update_endpoint(jobs: Jobs) -> Task:
    """Replace the serving model, blue/green; SageMaker goes back to the old one when an alarm fires."""
    rollout = jobs.settings.endpoint.rollout
    return service_task(
        "UpdateEndpoint",
        "aws-sdk:sagemaker:updateEndpoint",
        {
            "EndpointName": path("run.names.endpoint"),
            "EndpointConfigName": path("run.names.endpoint_config"),
            "DeploymentConfig": {
                "BlueGreenUpdatePolicy": {
                    "TrafficRoutingConfiguration": _traffic(rollout),
                    "TerminationWaitInSeconds": rollout.wait_seconds,
                    "MaximumExecutionTimeoutInSeconds": DEPLOYMENT_SECONDS + 2 * rollout.wait_seconds,
                },
                "AutoRollbackConfiguration": {
                    "Alarms": [
                        {"AlarmName": Substitution.ENDPOINT_ERRORS_ALARM_NAME.placeholder},
                        {"AlarmName": Substitution.ENDPOINT_LATENCY_ALARM_NAME.placeholder},
                    ]
                },
            },
        },
    )


def wait_for_endpoint() -> Wait:
    """Let the deployment go on."""
    return Wait("WaitForEndpoint", seconds=POLL_SECONDS)


def count_poll() -> Pass:
    """Count how often the deployment has been looked at."""
    return Pass(
        "CountPoll",
        parameters={"count.$": f"States.MathAdd({path('polls.count')}, 1)"},
        result_path="$.polls",
    )


def describe_endpoint() -> Task:
    """Look at the deployment."""
    return service_task(
        "DescribeEndpoint", "aws-sdk:sagemaker:describeEndpoint", {"EndpointName": path("run.names.endpoint")}
    )


def endpoint_settled(*, in_service: State, in_progress: State, failed: State, timed_out: State) -> Choice:
    """Go on when the endpoint serves, look again while it changes, up to a bound."""
    choice = Choice("EndpointSettled?")
    status = path("deployment.EndpointStatus")
    choice.add_choice(ChoiceRule.StringEquals(variable=status, value="InService"), in_service)
    changing = ChoiceRule.Or([ChoiceRule.StringEquals(variable=status, value=value) for value in IN_PROGRESS])
    bounded = ChoiceRule.NumericLessThan(variable=path("polls.count"), value=MAX_POLLS)
    choice.add_choice(ChoiceRule.And([changing, bounded]), in_progress)
    choice.add_choice(changing, timed_out)
    choice.default_choice(failed)
    return choice


def _data_capture(percent: int) -> JsonObject:
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": percent,
        "DestinationS3Uri": path("run.uris.captures"),
        "KmsKeyId": Substitution.KMS_KEY_ARN.placeholder,
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {
            "CsvContentTypes": ["text/csv"],
            "JsonContentTypes": ["application/json", SCORES_TYPE],
        },
    }


def _traffic(rollout: Rollout) -> JsonObject:
    traffic: JsonObject = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": rollout.wait_seconds}
    if rollout.canary_percent is not None:
        traffic |= {
            "Type": "CANARY",
            "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": rollout.canary_percent},
        }
    return traffic
