"""Authorization as a part of the server."""

from pathlib import Path
from typing import Any

from localcloud.authorization.authority import Authority
from localcloud.authorization.gateway import AuthorizationGateway
from localcloud.authorization.services import ServiceCalls
from localcloud.authorization.workflows import WorkflowCalls
from localcloud.part import Part
from localcloud.seams import iam

_AWS_MANAGED = Path(__file__).with_name("aws_managed")
"""Documents of AWS's own policies, as AWS publishes them, by their names."""


class AuthorizationPart(Part):
    """Stands before the gateway's services and writes what was decided.

    Parameters
    ----------
    authority
        Decides.
    """

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._gateway = AuthorizationGateway(authority)
        self._services = ServiceCalls(authority)
        self._workflows = WorkflowCalls(authority)

    def install(self) -> None:
        """Register with ministack."""
        for path in sorted(_AWS_MANAGED.glob("*.json")):
            iam.add_aws_managed_policy(path.stem, path.read_text())
        self._authority.open()
        self._gateway.install()
        self._services.install()
        self._workflows.install()

    def snapshot(self) -> None:
        """Write what was recorded."""
        self._authority.save()

    def status(self) -> dict[str, Any]:
        """Write what was recorded, and tell how many different calls were denied."""
        self._authority.save()
        return {"denied_calls": self._authority.denied}

    def shutdown(self) -> None:
        """Write what was recorded since the last time."""
        self._authority.save()
