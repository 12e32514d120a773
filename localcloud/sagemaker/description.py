"""What ``DescribeEndpoint`` answers of an endpoint, its variants and a deployment on its way."""

from localcloud.sagemaker.shapes import Document


def describe_endpoint(endpoint: Document) -> Document:
    """Return the members of ``DescribeEndpoint`` that follow from what serves the endpoint."""
    plan, update = endpoint["_plan"], endpoint.get("_update")
    derived: Document = {}
    if endpoint["EndpointStatus"] not in ("Creating", "Failed"):
        derived["ProductionVariants"] = [_variant(variant, endpoint) for variant in plan["variants"]]
    if plan["capture"]:
        capture = plan["capture"]
        enabled = capture.get("EnableCapture", True)
        derived["DataCaptureConfig"] = {
            "EnableCapture": enabled,
            "CaptureStatus": "Started" if enabled else "Stopped",
            "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
            "DestinationS3Uri": capture["DestinationS3Uri"],
            "KmsKeyId": capture.get("KmsKeyId", ""),
        }
    if update:
        derived["PendingDeploymentSummary"] = {
            "EndpointConfigName": update["plan"]["configuration"],
            "StartTime": update["started_at"],
            "ProductionVariants": [
                {"VariantName": variant["VariantName"], "VariantStatus": [{"Status": "Creating"}]}
                for variant in update["plan"]["variants"]
            ],
        }
    return {**endpoint, **derived}


def _variant(variant: Document, endpoint: Document) -> Document:
    weight = variant.get("InitialVariantWeight", 1.0)
    described: Document = {
        "VariantName": variant["VariantName"],
        "DeployedImages": [
            {
                "SpecifiedImage": container["Image"],
                "ResolvedImage": container["Image"],
                "ResolutionTime": endpoint["CreationTime"],
            }
            for container in variant["containers"]
            if "Image" in container
        ],
        "CurrentWeight": weight,
        "DesiredWeight": weight,
    }
    if "ServerlessConfig" in variant:
        described["CurrentServerlessConfig"] = variant["ServerlessConfig"]
        described["CurrentInstanceCount"] = described["DesiredInstanceCount"] = 0
    else:
        count = variant.get("InitialInstanceCount", 1)
        described["CurrentInstanceCount"] = described["DesiredInstanceCount"] = count
    return described
