"""What a laptop's journal says: calls by role, what was denied, and statements that nothing used."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.authorization.account import Documents, statements
from localcloud.authorization.journal import Journal
from localcloud.iam.policies import Statement, matches_action


@dataclass(frozen=True, slots=True)
class Report:
    """Summary of a journal.

    Attributes
    ----------
    calls : mapping
        Counts by caller and action; a caller is a role's name or a service.
    denied : list of str
        AWS's sentences about what was denied, each once.
    unused : mapping
        Statements of each role that was used, and those of its actions that no allowed request needed.
    """

    calls: Mapping[str, Mapping[str, int]]
    denied: list[str]
    unused: Mapping[str, list[tuple[str, tuple[str, ...]]]]

    @classmethod
    def of(cls, journal: Journal) -> Report:
        """Summarize a journal."""
        calls: dict[str, Counter[str]] = defaultdict(Counter)
        for entry in journal.entries:
            calls[name_of(entry.role or entry.caller)][entry.action] += entry.count
        used = _used(journal)
        return cls(
            calls={caller: dict(sorted(counts.items())) for caller, counts in sorted(calls.items())},
            denied=sorted({entry.message for entry in journal.entries if not entry.allowed}),
            unused={
                name_of(arn): rows
                for arn, role in sorted(journal.roles.items())
                if name_of(arn) in calls and (rows := list(_unused(role.identity, used)))
            },
        )

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {"calls": self.calls, "denied": self.denied, "unused": self.unused}


def name_of(caller: str) -> str:
    """Return the name of a role's ARN; a service is its own name."""
    return caller.rpartition("/")[2]


def _used(journal: Journal) -> dict[str, set[str]]:
    used: dict[str, set[str]] = defaultdict(set)
    for entry in journal.entries:
        for name in entry.statements:
            used[name].add(entry.action)
    return used


def _unused(policies: Documents, used: Mapping[str, set[str]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for statement in statements(policies):
        taken = used.get(statement.name, set())
        idle = tuple(action for action in statement.actions if not _covers(statement, action, taken))
        if idle or not taken:
            yield statement.name, idle


def _covers(statement: Statement, action: str, taken: set[str]) -> bool:
    return any(matches_action(each, action) for each in taken)
