"""What is collected in memory and sent in batches by a thread of its own."""

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

logger = logging.getLogger(__name__)


class Clients(Protocol):
    """Gives clients that call as a role."""

    def client(self, service: str, role: str | None = None) -> Any:
        """Return a client of a service."""


class Sender(ABC):
    """Sends every so often what was collected since the last time.

    Parameters
    ----------
    clients
        To send with.
    name
        Of what is sent, in the log.
    seconds
        From one time to the next.
    """

    def __init__(self, clients: Clients, name: str, seconds: float = 1.0) -> None:
        self._clients = clients
        self._name = name
        self._seconds = seconds
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"sagemaker-{name}", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; the gateway is about to leave, and what was collected since is not sent."""
        self._stop.set()

    @abstractmethod
    def send(self) -> None:
        """Send what was collected."""

    def _run(self) -> None:
        while not self._stop.wait(self._seconds):
            with self._logged(self._name):
                self.send()

    @contextmanager
    def _logged(self, what: str) -> Iterator[None]:
        """Write into the log what AWS did not take."""
        try:
            yield
        except (ClientError, BotoCoreError) as error:
            logger.warning("%s of SageMaker: not sent: %s", what, error)
