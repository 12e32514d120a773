"""What the server is made of, beside ministack."""

from localcloud.admission import Application, Scope


class Part:
    """One service of ours in the server, which calls the methods in this order; a part has those it needs."""

    def install(self) -> None:
        """Register with ministack, before state is loaded and before any request."""

    async def start(self) -> None:
        """Begin to work: state is loaded, the gateway accepts requests."""

    def application(self, scope: Scope) -> Application | None:
        """Return what serves a connection of the gateway instead of ministack; None for every other one."""
        return None

    def shutdown(self) -> None:
        """End what runs, in reverse order, in a worker thread; what the event loop or a thread of the process
        carries ends with these."""
