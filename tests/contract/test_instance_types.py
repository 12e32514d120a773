"""Instance types of specs are types that SageMaker's API takes."""

from __future__ import annotations

import botocore.session
import pytest

from watchkeeper.spec.instances import ENDPOINT_INSTANCES, JOB_INSTANCES


@pytest.mark.parametrize(
    ("types", "shape"),
    [
        (JOB_INSTANCES, "TrainingInstanceType"),
        (JOB_INSTANCES, "ProcessingInstanceType"),
        (JOB_INSTANCES, "TransformInstanceType"),
        (ENDPOINT_INSTANCES, "ProductionVariantInstanceType"),
    ],
)
def test_every_instance_type_is_one_of_the_api(types: tuple[str, ...], shape: str) -> None:
    model = botocore.session.get_session().get_service_model("sagemaker")
    assert set(types) <= set(model.shape_for(shape).enum)
