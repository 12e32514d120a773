"""What a serving container gets: the definitions of a model, its unpacked archive and its code."""

from pathlib import Path

from localcloud.sagemaker import locations
from localcloud.sagemaker.context import Context
from localcloud.sagemaker.errors import JobFailedError
from localcloud.sagemaker.kinds import MODEL_PACKAGE
from localcloud.sagemaker.registry import package_key
from localcloud.sagemaker.shapes import Document

ROLE = "_role"
"""Member of a container's definition: ARN of its model's role."""
_SUBMIT_DIRECTORY = "SAGEMAKER_SUBMIT_DIRECTORY"


def containers_of(context: Context, model: Document) -> list[Document]:
    """Return the container definitions of a model; a model package stands for its own containers."""
    definitions = model.get("Containers") or [model["PrimaryContainer"]]
    resolved: list[Document] = []
    for definition in definitions:
        if "ModelPackageName" in definition:
            package = context.store.get(MODEL_PACKAGE, package_key(definition["ModelPackageName"]))
            resolved += [
                {
                    **container,
                    "Environment": {**container.get("Environment", {}), **definition.get("Environment", {})},
                }
                for container in package["InferenceSpecification"]["Containers"]
            ]
        else:
            resolved.append(definition)
    return [
        {
            **definition,
            "ContainerHostname": definition.get("ContainerHostname") or _hostname(index, len(resolved)),
            ROLE: model.get("ExecutionRoleArn"),
        }
        for index, definition in enumerate(resolved, start=1)
    ]


def require_images(context: Context, definitions: list[Document]) -> None:
    """Build the environments of a model's images before anything is started.

    Raises
    ------
    JobFailedError
        When the laptop has no such image.
    """
    for definition in definitions:
        if "Image" not in definition:
            raise JobFailedError(f"ClientError: container {definition['ContainerHostname']} names no image")
        context.image(definition["Image"], definition.get(ROLE))


def fetch_model(context: Context, definition: Document, root: Path) -> None:
    """Unpack the model archive, or download its uncompressed prefix, to ``model/``."""
    s3 = context.client("s3", definition.get(ROLE))
    source = definition.get("ModelDataSource", {}).get("S3DataSource")
    if source and source["CompressionType"] == "None":
        locations.download(s3, {"S3Uri": source["S3Uri"]}, root / "model")
    elif uri := (source["S3Uri"] if source else definition.get("ModelDataUrl")):
        locations.extract_archive(s3, uri, root / "model")


def fetch_code(context: Context, variables: dict[str, str], root: Path, role: str | None) -> None:
    """Unpack the code that the toolkit of AWS's images would download by itself."""
    uri = variables.get(_SUBMIT_DIRECTORY, "")
    if uri.startswith(("s3://", "https://")):
        code = root / "model" / "code"
        locations.extract_archive(context.client("s3", role), uri, code)
        variables[_SUBMIT_DIRECTORY] = str(code)


def _hostname(index: int, count: int) -> str:
    return "primary" if count == 1 else f"container-{index}"
