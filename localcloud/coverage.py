"""Which template properties no provisioner reads: the laptop ignores them, and says so."""

import functools
import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, MutableMapping
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- ignored properties: begin -->\n", "<!-- ignored properties: end -->\n"

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


def save(path: Path) -> None:
    """Write the record, if there is anything new."""
    text = json.dumps(ignored(), indent=1)
    if not path.exists() or path.read_text() != text:
        partial = path.with_suffix(".partial")
        partial.write_text(text)
        partial.replace(path)


def load(path: Path) -> None:
    """Take over what an earlier process recorded."""
    if path.exists():
        with _lock:
            for name, found in json.loads(path.read_text()).items():
                _ignored[name].update(found)


def write_table(page: Path, properties: dict[str, list[str]]) -> None:
    """Replace the table between the markers of the coverage page; rows that it has stay.

    Raises
    ------
    ValueError
        When the page has no markers.
    """
    text = page.read_text()
    before, begin, rest = text.partition(BEGIN)
    table, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page}: has no lines {BEGIN.strip()!r} and {END.strip()!r}")
    rows = {
        line for line in table.splitlines() if line.startswith("| AWS::") or line.startswith("| Custom::")
    }
    rows |= {f"| {kind} | {name} |" for kind, names in properties.items() for name in names}
    lines = ["| resource type | ignored property |", "| --- | --- |", *sorted(rows)]
    page.write_text(before + begin + "\n".join(lines) + "\n" + end + after)


def _watched(resource_type: str, create: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(create)
    def watched(logical_id: str, properties: dict[str, Any], *rest: Any, **options: Any) -> Any:
        tracker = ReadTracker(properties)
        result = create(logical_id, tracker, *rest, **options)
        with _lock:
            _ignored[resource_type] |= tracker.unread()
        return result

    return watched
