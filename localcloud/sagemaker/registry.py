"""Model packages: versions of a group, their approval and metrics."""

from localcloud.sagemaker.clock import now
from localcloud.sagemaker.context import Context
from localcloud.sagemaker.errors import InvalidRequestError
from localcloud.sagemaker.kinds import MODEL_PACKAGE, MODEL_PACKAGE_GROUP
from localcloud.sagemaker.shapes import Document


def create_group(context: Context, request: Document, owner: str | None) -> Document:
    """CreateModelPackageGroup."""
    document = {
        **request,
        "ModelPackageGroupStatus": "Completed",
        "CreationTime": now(),
        "_owner": owner,
        "_versions": 0,
    }
    return {
        "ModelPackageGroupArn": context.store.add(
            MODEL_PACKAGE_GROUP, request["ModelPackageGroupName"], document
        )
    }


def delete_group(context: Context, request: Document, owner: str | None) -> Document:
    """DeleteModelPackageGroup; one with packages is refused, as on AWS."""
    name = group_name(request["ModelPackageGroupName"])
    if any(package.get("ModelPackageGroupName") == name for package in context.store.all(MODEL_PACKAGE)):
        raise InvalidRequestError(
            f"Model Package Group {name} cannot be deleted because it still contains Model Packages."
        )
    context.store.remove(MODEL_PACKAGE_GROUP, name)
    return {}


def create_package(context: Context, request: Document, owner: str | None) -> Document:
    """CreateModelPackage: the next version of a group, or a package of its own name."""
    named, grouped = request.get("ModelPackageName"), request.get("ModelPackageGroupName")
    if named and grouped:
        raise InvalidRequestError(
            "Both ModelPackageName and ModelPackageGroupName are provided in the input. "
            "Cannot determine which one to use."
        )
    if not named and not grouped:
        raise InvalidRequestError("Missing ARN.")
    document = {
        **request,
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "CreationTime": now(),
        "_owner": owner,
    }
    if named:
        return {"ModelPackageArn": context.store.add(MODEL_PACKAGE, named, document)}
    group = group_name(str(grouped))
    with context.store.edit(MODEL_PACKAGE_GROUP, group) as existing:
        existing["_versions"] += 1
        version = existing["_versions"]
    document.setdefault("ModelApprovalStatus", "PendingManualApproval")
    document.update(ModelPackageGroupName=group, ModelPackageVersion=version)
    return {"ModelPackageArn": context.store.add(MODEL_PACKAGE, f"{group}/{version}", document)}


def update_package(context: Context, request: Document, owner: str | None) -> Document:
    """UpdateModelPackage: what is not in the request stays."""
    with context.store.edit(MODEL_PACKAGE, package_key(request["ModelPackageArn"])) as package:
        for member in ("ModelApprovalStatus", "ApprovalDescription", "InferenceSpecification", "SourceUri"):
            if member in request:
                package[member] = request[member]
        properties = package.setdefault("CustomerMetadataProperties", {})
        properties.update(request.get("CustomerMetadataProperties", {}))
        for name in request.get("CustomerMetadataPropertiesToRemove", []):
            properties.pop(name, None)
        package["LastModifiedTime"] = now()
        return {"ModelPackageArn": package["ModelPackageArn"]}


def group_name(name_or_arn: str) -> str:
    """Return the name of a group from its name or ARN."""
    return name_or_arn.rpartition("/")[2]


def package_key(name_or_arn: str) -> str:
    """Return the store's name of a package (``GROUP/VERSION`` or its name) from its name or ARN."""
    return name_or_arn.rpartition(":model-package/")[2] if ":model-package/" in name_or_arn else name_or_arn
