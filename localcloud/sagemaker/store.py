"""Every SageMaker resource as a document: what `Describe…` answers, plus members that begin with ``_``.

The whole store is one JSON file, written under another name and renamed, so that a reader never sees half of
it and a SIGKILL at any moment leaves the state of the last write.
"""

import copy
import json
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from localcloud.disk import DamagedStateError
from localcloud.sagemaker.errors import InUseError, InvalidRequestError
from localcloud.sagemaker.kinds import KINDS, Kind
from localcloud.sagemaker.shapes import Document

logger = logging.getLogger(__name__)

VERSION = 1
_AGAIN_SECONDS = 1.0


class Store:
    """Documents by kind and name. Thread-safe; what it gives out are copies.

    Parameters
    ----------
    path
        The JSON file.
    region, account
        Parts of every ARN.
    """

    def __init__(self, path: Path, *, region: str, account: str) -> None:
        self.path = path
        self.region = region
        self.account = account
        self._kinds: dict[str, dict[str, Document]] = {name: {} for name in KINDS}
        self._lock = threading.RLock()
        self._writing = threading.Lock()
        self._changed = threading.Event()
        self._closed = False
        self._writer = threading.Thread(target=self._write_changes, name="sagemaker-state", daemon=True)

    def start(self) -> None:
        """Load the file, if there is one, and begin to write changes."""
        if self.path.exists():
            try:
                state = json.loads(self.path.read_text(encoding="utf-8"))
            except ValueError as error:
                raise DamagedStateError(self.path, error) from error
            self.restore(state)
        self._writer.start()

    def close(self) -> None:
        """Write the last change and end the writer."""
        self._closed = True
        self._changed.set()
        if self._writer.is_alive():
            self._writer.join(timeout=5)
        self.write()

    def arn(self, kind: Kind, name: str) -> str:
        """Return the ARN of a resource, whether it exists or not."""
        return f"arn:aws:sagemaker:{self.region}:{self.account}:{kind.arn_path}/{name}"

    def add(self, kind: Kind, name: str, document: Document) -> str:
        """Add a document and return its ARN; a name in use is refused as AWS refuses it."""
        arn = self.arn(kind, name)
        with self._lock:
            if name in self._kinds[kind.resource]:
                fault = InUseError if kind.is_job else InvalidRequestError
                raise fault(kind.duplicate.format(arn=arn, name=name))
            self._kinds[kind.resource][name] = {**document, kind.arn_member: arn}
            self._changed.set()
        return arn

    def get(self, kind: Kind, name: str) -> Document:
        """Return a copy; a name that does not exist is refused as AWS refuses it."""
        with self._lock:
            return copy.deepcopy(self._find(kind, name))

    def find(self, kind: Kind, name: str) -> Document | None:
        """Return a copy, or None."""
        with self._lock:
            return copy.deepcopy(self._kinds[kind.resource].get(name))

    def all(self, kind: Kind) -> list[Document]:
        """Return copies of every document of a kind, in the order of their creation."""
        with self._lock:
            return copy.deepcopy(list(self._kinds[kind.resource].values()))

    def remove(self, kind: Kind, name: str) -> Document:
        """Remove and return a document."""
        with self._lock:
            document = self._find(kind, name)
            del self._kinds[kind.resource][name]
            self._changed.set()
            return document

    @contextmanager
    def edit(self, kind: Kind, name: str) -> Iterator[Document]:
        """Give the document itself under the lock: nothing else reads or writes it in the block."""
        with self._lock:
            yield self._find(kind, name)
            self._changed.set()

    def by_arn(self, arn: str) -> tuple[Kind, str]:
        """Return the kind and name of the resource that has this ARN."""
        with self._lock:
            for kind in KINDS.values():
                for name, document in self._kinds[kind.resource].items():
                    if document[kind.arn_member] == arn:
                        return kind, name
        raise InvalidRequestError(f"Could not find resource with ARN {arn}.")

    def snapshot(self) -> Document:
        """Return the whole store as JSON-ready values."""
        with self._lock:
            return {"version": VERSION, "resources": copy.deepcopy(self._kinds)}

    def restore(self, state: Document) -> None:
        """Replace the whole store by a snapshot."""
        if state.get("version") != VERSION:
            raise ValueError(
                f"{self.path}: state version {state.get('version')!r}; this program reads {VERSION}"
            )
        with self._lock:
            for kind in KINDS:
                self._kinds[kind] = state["resources"].get(kind, {})

    def write(self) -> None:
        """Write the file atomically, if something changed since the last write."""
        with self._writing:
            if not self._changed.is_set():
                return
            self._changed.clear()
            text = json.dumps(self.snapshot())
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                draft = self.path.with_suffix(".tmp")
                with draft.open("w", encoding="utf-8") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                draft.replace(self.path)
            except OSError:
                self._changed.set()
                raise

    def _find(self, kind: Kind, name: str) -> Document:
        try:
            return self._kinds[kind.resource][name]
        except KeyError:
            arn = self.arn(kind, name)
            raise InvalidRequestError(kind.missing.format(arn=arn, name=name)) from None

    def _write_changes(self) -> None:
        while not self._closed:
            self._changed.wait()
            try:
                self.write()
            except OSError:
                logger.exception("%s cannot be written; trying again", self.path)
                time.sleep(_AGAIN_SECONDS)
