"""SageMaker as one part of the server: calls its hooks in the order that `localcloud.settings` states."""

import asyncio

from localcloud import sagemaker
from localcloud.authorization.authority import Authority
from localcloud.part import Part
from localcloud.settings import Settings


class SageMakerPart(Part):
    """Adapter of ``localcloud.sagemaker`` to the server.

    Parameters
    ----------
    settings
        Of the local cloud.
    authority
        Gives the credentials of roles.
    """

    def __init__(self, settings: Settings, authority: Authority) -> None:
        self._settings = settings
        self._authority = authority

    def install(self) -> None:
        """Register SageMaker's services with ministack."""
        sagemaker.install(self._settings, authority=self._authority)

    async def start(self) -> None:
        """Load SageMaker's own state."""
        await asyncio.to_thread(sagemaker.restore)

    def snapshot(self) -> None:
        """Write SageMaker's own state."""
        sagemaker.snapshot()

    def shutdown(self) -> None:
        """End jobs and endpoints."""
        sagemaker.shutdown()
