"""SageMaker's instance types that a spec may name.

They are those that every kind of job or endpoint takes, have an x86 CPU, which the models' images need, and
no disk of their own: SageMaker refuses a volume's key (KmsKeyId) where the disk is the instance's.
"""

from __future__ import annotations

_FOURTH = "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge"
_JOB_SIZES = {
    "m5": "large xlarge 2xlarge 4xlarge 12xlarge 24xlarge",
    "m6i": f"{_FOURTH} 32xlarge",
    "m7i": f"{_FOURTH} 48xlarge",
    "c5": "xlarge 2xlarge 4xlarge 9xlarge 18xlarge",
    "c6i": f"{_FOURTH.removeprefix('large ')} 32xlarge",
    "c7i": f"{_FOURTH} 48xlarge",
    "r6i": f"{_FOURTH} 32xlarge",
    "r7i": f"{_FOURTH} 48xlarge",
}
_ENDPOINT_SIZES = {**_JOB_SIZES, "t2": "medium large xlarge 2xlarge"}


def _types(sizes: dict[str, str]) -> tuple[str, ...]:
    return tuple(f"ml.{family}.{size}" for family, text in sizes.items() for size in text.split())


JOB_INSTANCES = _types(_JOB_SIZES)
"""For training, processing and batch transform."""
ENDPOINT_INSTANCES = _types(_ENDPOINT_SIZES)


def check_instance(value: str, types: tuple[str, ...]) -> str:
    """Return an instance type that is one of `types`.

    Raises
    ------
    ValueError
        If it is not; the message names the sizes of its family, or the families that there are.
    """
    if value in types:
        return value
    family = value.rpartition(".")[0]
    sizes = [each.rpartition(".")[2] for each in types if each.startswith(f"{family}.")]
    if sizes:
        raise ValueError(f"{family} is there as {', '.join(sizes)}")
    families = dict.fromkeys(each.rpartition(".")[0] for each in types)
    raise ValueError(
        "must be an instance type with an x86 CPU and no disk of its own, such as ml.m5.large; "
        f"there are {', '.join(families)}"
    )
