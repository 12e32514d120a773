"""Which template properties no provisioner reads: the laptop ignores them, and says so."""

import functools
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

_lock = threading.Lock()
_ignored: dict[str, set[str]] = defaultdict(set)


class ReadTracker(dict[str, Any]):
    """A dictionary that remembers which of its keys were read."""

    def __init__(self, content: dict[str, Any]) -> None:
        super().__init__(content)
        self.seen: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self.seen.add(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """Read one key."""
        self.seen.add(key)
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        self.seen.add(str(key))
        return super().__contains__(key)

    def pop(self, key: str, *default: Any) -> Any:
        """Read and remove one key."""
        self.seen.add(key)
        return super().pop(key, *default)

    def __iter__(self) -> Iterator[str]:
        self.seen.update(super().keys())
        return super().__iter__()

    def keys(self) -> Any:
        """Read all keys."""
        self.seen.update(super().keys())
        return super().keys()

    def items(self) -> Any:
        """Read everything."""
        self.seen.update(super().keys())
        return super().items()

    def values(self) -> Any:
        """Read everything."""
        self.seen.update(super().keys())
        return super().values()

    def copy(self) -> dict[str, Any]:
        """Read everything."""
        self.seen.update(super().keys())
        return dict(self)

    def unread(self) -> set[str]:
        """Return the keys that nobody asked for."""
        return set(super().keys()) - self.seen


def watch(handlers: MutableMapping[str, dict[str, Any]]) -> None:
    """Wrap every type's ``create`` so that it records the properties that it does not read."""
    for resource_type, functions in handlers.items():
        if "create" in functions:
            functions["create"] = _watched(resource_type, functions["create"])


def ignored() -> dict[str, list[str]]:
    """Return the ignored properties of each resource type that was deployed."""
    with _lock:
        return {name: sorted(found) for name, found in sorted(_ignored.items()) if found}


def restore(properties: dict[str, list[str]]) -> None:
    """Take over what an earlier process recorded."""
    with _lock:
        for name, found in properties.items():
            _ignored[name].update(found)


def _watched(resource_type: str, create: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(create)
    def watched(logical_id: str, properties: dict[str, Any], *rest: Any, **options: Any) -> Any:
        tracker = ReadTracker(properties)
        result = create(logical_id, tracker, *rest, **options)
        with _lock:
            _ignored[resource_type] |= tracker.unread()
        return result

    return watched
