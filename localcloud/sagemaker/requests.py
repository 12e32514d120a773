"""What the laptop adds to AWS's validation: rules between members, and refusals by name."""

from typing import Any

from localcloud.sagemaker.clock import now
from localcloud.sagemaker.errors import InvalidRequestError, UnsupportedError
from localcloud.sagemaker.locations import join
from localcloud.sagemaker.shapes import Document

_DEFAULT_RUNTIME_SECONDS = 86_400


def training_job(request: Document) -> Document:
    """Check a CreateTrainingJob and return the job's first document."""
    _refuse(
        request,
        CheckpointConfig="checkpoints",
        DebugRuleConfigurations="debugger rules",
        ProfilerRuleConfigurations="profiler rules",
        TensorBoardOutputConfig="TensorBoard output",
        ServerlessJobConfig="serverless jobs",
        SessionChainingConfig="session chaining",
        MlflowConfig="MLflow tracking",
        ModelPackageConfig="training into a model package",
    )
    algorithm = request["AlgorithmSpecification"]
    _refuse(
        algorithm,
        AlgorithmName="marketplace algorithms",
        ContainerEntrypoint="ContainerEntrypoint of training",
    )
    if "TrainingImage" not in algorithm:
        raise InvalidRequestError("You must specify exactly one of AlgorithmName or TrainingImage.")
    _file_mode(algorithm["TrainingInputMode"])
    resources = _required(request, "ResourceConfig")
    _required(request, "OutputDataConfig")
    _required(request, "StoppingCondition")
    _one_instance(resources.get("InstanceCount", 1), "training")
    _refuse(resources, InstanceGroups="instance groups")
    for channel in request.get("InputDataConfig", []):
        source = channel["DataSource"].get("S3DataSource")
        if source is None:
            raise UnsupportedError(f"the data source of channel {channel['ChannelName']}; only S3DataSource")
        _listed_data(source["S3DataType"])
        _file_mode(channel.get("InputMode", "File"))
        if channel.get("CompressionType", "None") != "None":
            raise UnsupportedError("channels with CompressionType Gzip")
    output = join(
        request["OutputDataConfig"]["S3OutputPath"], request["TrainingJobName"], "output", "model.tar.gz"
    )
    return {
        **request,
        **_new_job("TrainingJobStatus"),
        "SecondaryStatus": "Starting",
        "SecondaryStatusTransitions": [],
        "ModelArtifacts": {"S3ModelArtifacts": output},
        "StoppingCondition": {
            "MaxRuntimeInSeconds": _DEFAULT_RUNTIME_SECONDS,
            **request["StoppingCondition"],
        },
        "EnableNetworkIsolation": request.get("EnableNetworkIsolation", False),
        "EnableInterContainerTrafficEncryption": request.get("EnableInterContainerTrafficEncryption", False),
        "EnableManagedSpotTraining": request.get("EnableManagedSpotTraining", False),
    }


def processing_job(request: Document) -> Document:
    """Check a CreateProcessingJob and return the job's first document."""
    if "ContainerEntrypoint" not in request["AppSpecification"]:
        raise UnsupportedError("processing jobs without ContainerEntrypoint")
    _one_instance(request["ProcessingResources"]["ClusterConfig"]["InstanceCount"], "processing")
    for item in request.get("ProcessingInputs", []):
        if "S3Input" not in item:
            raise UnsupportedError(f"the source of processing input {item['InputName']}; only S3Input")
        if "LocalPath" not in item["S3Input"]:
            raise InvalidRequestError(f"ProcessingInput {item['InputName']}: LocalPath is required.")
        _listed_data(item["S3Input"]["S3DataType"])
        _file_mode(item["S3Input"].get("S3InputMode", "File"))
        if item["S3Input"].get("S3CompressionType", "None") != "None":
            raise UnsupportedError("processing inputs with S3CompressionType Gzip")
    for output in request.get("ProcessingOutputConfig", {}).get("Outputs", []):
        if "S3Output" not in output:
            raise UnsupportedError(f"the target of processing output {output['OutputName']}; only S3Output")
        if output["S3Output"]["S3UploadMode"] != "EndOfJob":
            raise UnsupportedError("processing outputs with S3UploadMode Continuous")
    limits = request.get("StoppingCondition", {"MaxRuntimeInSeconds": _DEFAULT_RUNTIME_SECONDS})
    return {**request, **_new_job("ProcessingJobStatus"), "StoppingCondition": limits}


def transform_job(request: Document) -> Document:
    """Check a CreateTransformJob and return the job's first document."""
    processing = request.get("DataProcessing", {})
    if processing.get("JoinSource", "None") != "None":
        raise UnsupportedError("JoinSource of a transform job")
    for member in ("InputFilter", "OutputFilter"):
        if processing.get(member, "$") != "$":
            raise UnsupportedError(f"{member} of a transform job")
    _refuse(request, DataCaptureConfig="data capture of a transform job")
    source = request["TransformInput"]
    _listed_data(source["DataSource"]["S3DataSource"]["S3DataType"])
    if source.get("SplitType", "None") not in ("None", "Line"):
        raise UnsupportedError(f"SplitType {source['SplitType']}; only Line and None")
    if source.get("CompressionType", "None") not in ("None", "Gzip"):
        raise UnsupportedError(f"CompressionType {source['CompressionType']}")
    _one_instance(request["TransformResources"]["InstanceCount"], "transform")
    if source.get("SplitType", "None") == "None" and request.get("BatchStrategy") == "MultiRecord":
        raise InvalidRequestError("BatchStrategy MultiRecord requires a SplitType other than None.")
    return {**request, **_new_job("TransformJobStatus")}


def model(request: Document) -> Document:
    """Check a CreateModel and return the model's document."""
    if ("PrimaryContainer" in request) == ("Containers" in request):
        raise InvalidRequestError("You must specify exactly one of PrimaryContainer or Containers.")
    for container in request.get("Containers") or [request["PrimaryContainer"]]:
        if ("Image" in container) == ("ModelPackageName" in container):
            raise InvalidRequestError("Each container must specify exactly one of Image or ModelPackageName.")
        if container.get("Mode", "SingleModel") != "SingleModel":
            raise UnsupportedError("MultiModel containers")
        _refuse(container, AdditionalModelDataSources="AdditionalModelDataSources")
        source = container.get("ModelDataSource", {}).get("S3DataSource", {})
        if source.get("S3DataType") == "S3Object" and source.get("CompressionType") == "None":
            raise UnsupportedError("an uncompressed S3Object as model data")
    if request.get("InferenceExecutionConfig", {}).get("Mode", "Serial") != "Serial":
        raise UnsupportedError("InferenceExecutionConfig Direct")
    return {
        **request,
        "CreationTime": now(),
        "EnableNetworkIsolation": request.get("EnableNetworkIsolation", False),
    }


def endpoint_config(request: Document) -> Document:
    """Check a CreateEndpointConfig and return its document."""
    _refuse(
        request,
        AsyncInferenceConfig="asynchronous inference",
        ExplainerConfig="online explanations",
        ShadowProductionVariants="shadow variants",
    )
    names = [variant["VariantName"] for variant in request["ProductionVariants"]]
    if len(set(names)) != len(names):
        raise InvalidRequestError("ProductionVariants: variant names must be unique.")
    for variant in request["ProductionVariants"]:
        if "ModelName" not in variant:
            raise UnsupportedError("variants without ModelName (inference components)")
        if ("InstanceType" in variant) == ("ServerlessConfig" in variant):
            raise InvalidRequestError(
                f"Variant {variant['VariantName']}: specify exactly one of InstanceType or ServerlessConfig."
            )
        if "InstanceType" in variant and "InitialInstanceCount" not in variant:
            raise InvalidRequestError(f"Variant {variant['VariantName']}: InitialInstanceCount is required.")
    if "ServerlessConfig" in request["ProductionVariants"][0] and "DataCaptureConfig" in request:
        raise InvalidRequestError("DataCaptureConfig is not supported for serverless variants.")
    variants = [{"InitialVariantWeight": 1.0, **variant} for variant in request["ProductionVariants"]]
    return {**request, "ProductionVariants": variants, "CreationTime": now()}


def _new_job(status: str) -> Document:
    created = now()
    return {status: "InProgress", "CreationTime": created, "LastModifiedTime": created}


def _refuse(request: Document, **members: str) -> None:
    for member, what in members.items():
        if request.get(member):
            raise UnsupportedError(what)


def _required(request: Document, member: str) -> Any:
    if not request.get(member):
        path = member[0].lower() + member[1:]
        raise InvalidRequestError(
            f"1 validation error detected: Value null at '{path}' failed to satisfy constraint: "
            "Member must not be null"
        )
    return request[member]


def _one_instance(count: int, what: str) -> None:
    if count != 1:
        raise UnsupportedError(f"{what} on {count} instances; only 1")


def _listed_data(kind: str) -> None:
    if kind not in ("S3Prefix", "ManifestFile"):
        raise UnsupportedError(f"S3DataType {kind}; only S3Prefix and ManifestFile")


def _file_mode(mode: str) -> None:
    if mode not in ("File", "FastFile"):  # FastFile gives the program the same files
        raise UnsupportedError(f"input mode {mode}; only File and FastFile")
