"""The kinds of resources of the laptop's SageMaker, with AWS's words for what can go wrong with each."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of resource.

    Attributes
    ----------
    resource : str
        As in ``Describe<resource>``.
    arn_path : str
        As in ``arn:aws:sagemaker:REGION:ACCOUNT:<arn_path>/NAME``.
    missing, duplicate : str
        AWS's message; may use ``{arn}`` and ``{name}``.
    status : str
        Member that holds the status, or empty.
    list_member : str
        Member of the list operation's answer.
    """

    resource: str
    arn_path: str
    missing: str
    duplicate: str
    list_member: str
    status: str = ""
    is_job: bool = False

    @property
    def name_member(self) -> str:
        """Member that holds the name."""
        return f"{self.resource}Name"

    @property
    def arn_member(self) -> str:
        """Member that holds the ARN."""
        return f"{self.resource}Arn"

    @property
    def end_member(self) -> str:
        """Member that holds the time at which a job ended."""
        return f"{self.resource.removesuffix('Job')}EndTime"


def _job(word: str) -> Kind:
    return Kind(
        resource=f"{word}Job",
        arn_path=f"{word.lower()}-job",
        missing="Requested resource not found."
        if word == "Training"
        else "Could not find requested job with name: {name}",
        duplicate=f"{word} job names must be unique within an AWS account and region, and a "
        f"{word.lower()} job with this name already exists ({{arn}})",
        list_member=f"{word}JobSummaries",
        status=f"{word}JobStatus",
        is_job=True,
    )


TRAINING_JOB = _job("Training")
PROCESSING_JOB = _job("Processing")
TRANSFORM_JOB = _job("Transform")
MODEL = Kind(
    "Model",
    "model",
    'Could not find model "{arn}".',
    'Cannot create already existing model "{arn}".',
    "Models",
)
ENDPOINT_CONFIG = Kind(
    "EndpointConfig",
    "endpoint-config",
    'Could not find endpoint configuration "{arn}".',
    'Cannot create already existing endpoint configuration "{arn}".',
    "EndpointConfigs",
)
ENDPOINT = Kind(
    "Endpoint",
    "endpoint",
    'Could not find endpoint "{arn}".',
    'Cannot create already existing endpoint "{arn}".',
    "Endpoints",
    status="EndpointStatus",
)
MODEL_PACKAGE_GROUP = Kind(
    "ModelPackageGroup",
    "model-package-group",
    "ModelPackageGroup {arn} does not exist.",
    "Model Package Group already exists: {arn}",
    "ModelPackageGroupSummaryList",
    status="ModelPackageGroupStatus",
)
MODEL_PACKAGE = Kind(
    "ModelPackage",
    "model-package",
    "ModelPackage {arn} does not exist.",
    "Model Package already exists: {arn}",
    "ModelPackageSummaryList",
    status="ModelPackageStatus",
)
JOBS = (TRAINING_JOB, PROCESSING_JOB, TRANSFORM_JOB)
KINDS = {
    kind.resource: kind
    for kind in (*JOBS, MODEL, ENDPOINT_CONFIG, ENDPOINT, MODEL_PACKAGE_GROUP, MODEL_PACKAGE)
}
