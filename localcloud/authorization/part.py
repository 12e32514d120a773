"""Authorization as a part of the server."""

from localcloud.authorization.authority import Authority
from localcloud.authorization.gateway import AuthorizationGateway
from localcloud.authorization.services import ServiceCalls
from localcloud.authorization.workflows import WorkflowCalls


class AuthorizationPart:
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
        self._authority.open()
        self._gateway.install()
        self._services.install()
        self._workflows.install()

    async def start(self) -> None:
        """Nothing to start."""

    def snapshot(self) -> None:
        """Write what was recorded."""
        self._authority.save()

    def shutdown(self) -> None:
        """Write what was recorded since the last time."""
        self._authority.save()
