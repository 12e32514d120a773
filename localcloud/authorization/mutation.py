"""Whether the recorded requests would notice a permission that is missing.

Each statement of the roles that made requests, and each action of it, is taken away in turn, and the requests
that it had allowed are evaluated again. Nothing runs. What no request notices is unused, or given twice.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from localcloud.authorization.account import statements
from localcloud.authorization.authority import standing_context
from localcloud.authorization.journal import Entry, Journal
from localcloud.authorization.report import name_of
from localcloud.iam.evaluation import Policies, Rule, Statements, evaluate
from localcloud.iam.policies import Statement


@dataclass(frozen=True, slots=True)
class Mutant:
    """One permission that was taken away.

    Attributes
    ----------
    owner : str
        Name of the role, or ARN of the resource whose policy it is.
    statement : str
        Name of the statement.
    action : str or None
        The one action that was taken from it; None is the whole statement.
    actions : tuple of str
        All actions of the statement.
    caught : bool
        Whether a recorded request would be denied without it.
    """

    owner: str
    statement: str
    action: str | None
    actions: tuple[str, ...]
    caught: bool

    @property
    def definition(self) -> tuple[str, ...]:
        """What it has in common with permissions of roles that several stacks make alike: the policy's name,
        which CloudFormation leaves as the template has it, and the actions."""
        policy = self.statement.rpartition("#")[0]
        return (
            policy if policy and not self.owner.startswith("arn:") else self.owner,
            *self.actions,
            self.action or "",
        )

    def __str__(self) -> str:
        """Owner, statement and action."""
        return f"{self.owner}: {self.statement}" + (f" {self.action}" if self.action else "")


def mutants(journal: Journal, region: str) -> Iterator[Mutant]:
    """Yield every permission of what the recorded requests were decided by, without it.

    Parameters
    ----------
    journal
        Its allowed requests are evaluated again.
    region
        Of the laptop.
    """
    allowed = [entry for entry in journal.entries if entry.allowed]
    trial = _Trial(journal, region)
    for arn in sorted({entry.role for entry in allowed if entry.role in journal.roles}):
        of_role = [entry for entry in allowed if entry.role == arn]
        yield from trial.mutants(name_of(arn), statements(journal.roles[arn].identity), of_role)
    for arn, documents in sorted(journal.resources.items()):
        yield from trial.mutants(arn, statements(documents), allowed)


def by_definition(found: Iterable[Mutant]) -> dict[tuple[str, ...], list[Mutant]]:
    """Group mutants that take the same line of a program away: one that is caught tells of all."""
    groups: dict[tuple[str, ...], list[Mutant]] = {}
    for mutant in found:
        groups.setdefault(mutant.definition, []).append(mutant)
    return groups


class _Trial:
    def __init__(self, journal: Journal, region: str) -> None:
        self._journal = journal
        self._region = region

    def mutants(self, owner: str, found: Statements, entries: list[Entry]) -> Iterator[Mutant]:
        for statement in found:
            if statement.effect == "Deny":
                continue  # requests that are allowed cannot tell that a refusal is missing
            by_it = [entry for entry in entries if statement.name in entry.statements]
            caught = self._is_caught(by_it, statement, None)
            yield Mutant(owner, statement.name, None, statement.actions, caught)
            for action in statement.actions if len(statement.actions) > 1 else ():
                rest = tuple(each for each in statement.actions if each != action)
                without = dataclasses.replace(statement, actions=rest)
                caught = self._is_caught(by_it, statement, without)
                yield Mutant(owner, statement.name, action, statement.actions, caught)

    def _is_caught(self, entries: list[Entry], statement: Statement, instead: Statement | None) -> bool:
        def changed(found: Statements) -> Statements:
            replaced = ((each if each.name != statement.name else instead) for each in found)
            return tuple(each for each in replaced if each is not None)

        return any(not self._is_allowed(entry, changed) for entry in entries)

    def _is_allowed(self, entry: Entry, changed: Callable[[Statements], Statements]) -> bool:
        role = self._journal.roles.get(entry.role)
        asked = entry.request
        context = {**standing_context(asked.principal, self._region), **asked.context}
        policies = Policies(
            identity=changed(statements(role.identity)) if role else (),
            boundary=changed(statements(role.boundary)) if role and role.boundary else None,
            resource=changed(statements(self._journal.resources.get(entry.policy, {}))),
            rule=Rule[entry.rule],
            granted=frozenset(entry.granted),
        )
        return evaluate(dataclasses.replace(asked, context=context), policies).allowed
