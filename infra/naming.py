"""Names that the stacks give to what belongs to one workload."""

from __future__ import annotations

WORKLOAD_TAG = "watchkeeper:workload"


def pascal_name(workload: str) -> str:
    """Return a workload's name as CloudFormation allows it in a logical id.

    Examples
    --------
    >>> pascal_name("machine_temperature")
    'MachineTemperature'
    """
    return "".join(part.capitalize() for part in workload.split("_"))
