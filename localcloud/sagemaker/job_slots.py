"""How many jobs run at once: as many as the laptop has processors, the others wait in the order they came.

AWS gives every job instances of its own. Here they share the processors with the gateway that serves them:
fifty programs that start together would keep it from answering, and none of them would end sooner.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from localcloud.sagemaker.errors import JobStoppedError

_LOOK_SECONDS = 0.1


class JobSlots:
    """Places to run in, given in the order in which they were asked for.

    Parameters
    ----------
    count
        Jobs at once.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()

    @contextmanager
    def taken(self, stopping: threading.Event) -> Iterator[None]:
        """Wait for a place, and give it back at the end.

        Raises
        ------
        JobStoppedError
            When the job is stopped while it waits.
        """
        self._take(stopping)
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()

    def _take(self, stopping: threading.Event) -> None:
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
            try:
                while not self._free or self._waiting[0] is not ticket:
                    if stopping.is_set():
                        raise JobStoppedError("it was stopped while it waited for a place to run in")
                    self._changed.wait(_LOOK_SECONDS)
                self._free -= 1
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()
