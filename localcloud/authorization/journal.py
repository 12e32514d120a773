"""What was asked for and decided, in the laptop's home: a line for each distinct request, and its count.

`requests.jsonl` holds requests in the order in which they came first; `counts.json` how often each came, by
its number; `policies.json` the policies that they were decided by. A kill loses what came in the last second.
"""

from __future__ import annotations

import json
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from localcloud.authorization.account import Account, Documents, policy_arn
from localcloud.authorization.needs import Need
from localcloud.iam.evaluation import Decision, Policies, Principal, Request, Rule

_REQUESTS = "requests.jsonl"
_COUNTS = "counts.json"
_POLICIES = "policies.json"

# Of requests that differ in resource and context alone so many are kept; others count with the first.
_ALIKE = 100
_ALLOWED = 3  # place of the decision in a request's key


@dataclass(frozen=True, slots=True)
class Entry:
    """One distinct request and its decision.

    Attributes
    ----------
    role : str
        ARN of the caller's role; empty for a service in its own name.
    caller : str
        ARN of the session, or the service.
    policy : str
        ARN of the resource whose policy counts too, or of the role whose trust policy counts alone.
    """

    role: str
    caller: str
    action: str
    resource: str
    context: tuple[tuple[str, str], ...]
    policy: str
    rule: str
    granted: tuple[str, ...]
    allowed: bool
    ground: str
    statements: tuple[str, ...]
    message: str = ""
    count: int = 0

    @property
    def request(self) -> Request:
        """As the evaluator takes it."""
        return Request(Principal(self.caller, self.role), self.action, self.resource, dict(self.context))


@dataclass(frozen=True, slots=True)
class RolePolicies:
    """The policies of one role."""

    identity: Documents
    boundary: Documents


@dataclass(frozen=True, slots=True)
class Journal:
    """What a laptop has recorded."""

    entries: list[Entry]
    roles: dict[str, RolePolicies]
    """By the roles' ARNs."""
    resources: dict[str, Documents]
    """Policies of resources and trust policies, by the ARNs that entries name."""

    @classmethod
    def read(cls, folder: Path) -> Journal:
        """Read a folder.

        Raises
        ------
        FileNotFoundError
            When nothing was recorded there.
        """
        counts = json.loads((folder / _COUNTS).read_text())
        entries = []
        for number, line in enumerate((folder / _REQUESTS).read_text().splitlines()):
            values = json.loads(line)
            for name in ("granted", "statements"):
                values[name] = tuple(values[name])
            values["context"] = tuple((name, value) for name, value in values["context"])
            entries.append(Entry(**{**values, "count": counts[number] if number < len(counts) else 1}))
        known = json.loads((folder / _POLICIES).read_text())
        roles = {arn: RolePolicies(**found) for arn, found in known["roles"].items()}
        return cls(entries, roles, known["resources"])


class Recorder:
    """Collects decisions and writes them.

    Parameters
    ----------
    folder
        Where the journal is.
    account
        Whose policies are written beside it.
    """

    def __init__(self, folder: Path, account: Account) -> None:
        self._folder = folder
        self._account = account
        self._numbers: dict[tuple[Any, ...], int] = {}
        self._counts: Counter[int] = Counter()
        self._alike: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
        self._lines: list[str] = []
        self._resources: dict[str, Callable[[], Documents]] = {}
        self._lock = threading.Lock()
        self._known: dict[str, dict[str, Any]] = {"roles": {}, "resources": {}}
        self._written = 0

    def open(self) -> None:
        """Carry on a journal that is there; a line that a kill has cut off is dropped."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / _REQUESTS
        if not path.exists():
            return
        if not (self._folder / _COUNTS).exists() or not (self._folder / _POLICIES).exists():
            path.unlink()
            return
        whole = path.read_text().rpartition("\n")[0]
        path.write_text(f"{whole}\n" if whole else "")
        for number, entry in enumerate(Journal.read(self._folder).entries):
            self._numbers[_key(entry)] = number
            self._alike[entry.role or entry.caller, entry.action, entry.allowed, entry.statements].append(
                number
            )
            self._counts[number] = entry.count
            self._remember(entry.policy, entry.rule)

    def record(self, need: Need, request: Request, decision: Decision, policies: Policies) -> None:
        """Count one decision."""
        principal = request.principal
        key = (
            principal.role_arn or principal.arn,
            need.action,
            need.resource,
            decision.allowed,
            tuple(sorted(need.context.items())),
        )
        with self._lock:
            number = self._numbers.get(key)
            alike = self._alike[key[0], need.action, decision.allowed, decision.statements]
            if number is None and len(alike) >= _ALIKE:
                number = alike[0]
            if number is None:
                entry = Entry(
                    role=principal.role_arn,
                    caller=principal.arn,
                    action=need.action,
                    resource=need.resource,
                    context=tuple(sorted((name, str(value)) for name, value in need.context.items())),
                    policy=policy_arn(need),
                    rule=policies.rule.name,
                    granted=tuple(sorted(policies.granted)),
                    allowed=decision.allowed,
                    ground=decision.ground.name,
                    statements=decision.statements,
                    message="" if decision.allowed else decision.message(request),
                )
                number = self._numbers[key] = len(self._numbers)
                alike.append(number)
                values = asdict(entry)
                del values["count"]
                self._lines.append(json.dumps(values, separators=(",", ":")))
                self._remember(entry.policy, entry.rule)
            self._counts[number] += 1

    @property
    def denied(self) -> int:
        """Number of distinct requests that were denied."""
        return sum(not key[_ALLOWED] for key in list(self._numbers))

    def write(self) -> None:
        """Write what came since the last time."""
        with self._lock:
            lines, self._lines = self._lines, []
            counts = [self._counts[number] for number in range(len(self._numbers))]
            resources = dict(self._resources)
        total = sum(counts)
        if total == self._written:
            return
        if lines:
            with (self._folder / _REQUESTS).open("a") as file:
                file.writelines(f"{line}\n" for line in lines)
        _replace(self._folder / _COUNTS, json.dumps(counts))
        self._written = total
        # What is gone since stays: requests were decided by it.
        self._known["roles"] |= {
            role["Arn"]: {"identity": self._account.identity(role), "boundary": self._account.boundary(role)}
            for role in self._account.roles()
        }
        self._known["resources"] |= {arn: found for arn, find in resources.items() if (found := find())}
        _replace(self._folder / _POLICIES, json.dumps(self._known))

    def _remember(self, arn: str, rule: str) -> None:
        if arn in self._resources or not arn.startswith("arn:"):
            return
        find = self._account.trust_document if rule == Rule.RESOURCE_ONLY.name else self._account.of_resource
        self._resources[arn] = lambda: find(arn)


def _key(entry: Entry) -> tuple[Any, ...]:
    return (entry.role or entry.caller, entry.action, entry.resource, entry.allowed, entry.context)


def _replace(path: Path, text: str) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(text)
    partial.replace(path)
