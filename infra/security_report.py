"""`python -m infra.security_report ASSEMBLY`: what security reviewers ask for, read from the templates.

It writes the tables of `docs/security.md` (every role with what it may do; every finding of cdk-nag that is
acknowledged, with the reason) and the policies for CloudFormation in `docs/deployment-policy/`. A workload's
name is folded to `WORKLOAD`: there is a row a kind of role, not a row a workload.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from infra.naming import pascal_name
from infra.settings import ROOT
from watchkeeper.spec import load_workloads

DOCUMENT = ROOT / "docs/security.md"
POLICIES = ROOT / "docs/deployment-policy"
FOLDED = "WORKLOAD"
SHOWN = 3
"""So many places of a finding are named; of more there is the number."""
POLICY_CHARACTERS = 6000
"""IAM takes 6,144 of a managed policy, white space not counted."""
OF_SOME_WORKLOADS = frozenset(
    {
        *("AWS::SNS::Subscription", "AWS::Scheduler::Schedule"),
        *("AWS::Glue::Job", "AWS::Glue::SecurityConfiguration"),
    }
)
"""Types that a workload brings with it, whether the workloads of today do or not."""
_PREFIX = "Watchkeeper"
_SERVICES_ROLES = "arn:aws:iam::*:role/aws-service-role/*"
_CUSTOM = "Custom::"
_REGION_OF_SCHEMAS = "us-east-1"

Json = dict[str, Any]


@dataclass
class RoleKind:
    """A role, or what the like roles of all workloads have in common."""

    assumed_by: set[str] = field(default_factory=set)
    actions: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Names of actions by service."""

    def pairs(self) -> set[tuple[str, str]]:
        """Return `(service, name)` of each action."""
        return {(service, name) for service, names in self.actions.items() for name in names}


@dataclass(frozen=True)
class SynthesizedStacks:
    """A cloud assembly with the construct paths of its resources.

    Parameters
    ----------
    folder
        The assembly.
    workloads
        Names to fold.
    """

    folder: Path
    workloads: Sequence[str]

    def templates(self) -> Iterator[tuple[str, Json, Json]]:
        """Give each stack's name, template and metadata by construct path."""
        manifest = json.loads((self.folder / "manifest.json").read_text())
        for name, artifact in sorted(manifest["artifacts"].items()):
            if artifact["type"] == "aws:cloudformation:stack":
                template = json.loads((self.folder / artifact["properties"]["templateFile"]).read_text())
                yield name, template, json.loads((self.folder / f"{name}.metadata.json").read_text())

    def fold(self, text: str) -> str:
        """Put `WORKLOAD` for each workload's name."""
        for name in sorted(self.workloads, key=len, reverse=True):
            text = text.replace(pascal_name(name), FOLDED).replace(name.replace("_", "-"), FOLDED)
        return text

    def resource_types(self) -> set[str]:
        """Return every type of resource."""
        return {
            body["Type"] for _, template, _ in self.templates() for body in template["Resources"].values()
        }

    def roles(self) -> dict[str, RoleKind]:
        """Return the kinds of roles by their folded construct paths."""
        kinds: dict[str, RoleKind] = {}
        for _, template, metadata in self.templates():
            resources, paths = template["Resources"], _paths(metadata)
            for logical_id, body in resources.items():
                if body["Type"] != "AWS::IAM::Role":
                    continue
                kind = kinds.setdefault(self.fold(paths[logical_id]), RoleKind())
                for statement in body["Properties"]["AssumeRolePolicyDocument"]["Statement"]:
                    kind.assumed_by.update(_many(statement["Principal"].get("Service", "an account")))
                for statement in _statements_of(logical_id, body, resources):
                    for action in _many(statement["Action"]):
                        service, _, name = action.partition(":")
                        kind.actions[service].add(name)
        return kinds

    def acknowledged(self) -> dict[tuple[str, str], set[str]]:
        """Return where each acknowledged finding is, by rule and reason."""
        found: dict[tuple[str, str], set[str]] = defaultdict(set)
        for _, _, metadata in self.templates():
            for path, entries in metadata.items():
                for entry in entries:
                    if entry["type"] == "aws:cdk:acknowledged-rules":
                        for finding, reason in entry["data"].items():
                            rule = finding.removeprefix("Annotation::").partition("[")[0]
                            found[rule, reason].add(self.fold(path.strip("/")))
        return found


def role_table(stacks: SynthesizedStacks) -> str:
    """Return the table of roles; what all roles of a service may do is said once, in its first row."""
    kinds = stacks.roles()
    rows = []
    for service in sorted({name for kind in kinds.values() for name in kind.assumed_by}):
        of_service = {name: kind for name, kind in sorted(kinds.items()) if service in kind.assumed_by}
        common = set.intersection(*(kind.pairs() for kind in of_service.values()))
        if len(of_service) > 1:
            rows.append(f"| every role of {service} | {service} | {_words(common)} |")
        else:
            common = set()
        rows += [
            f"| {name} | {service} | {_words(kind.pairs() - common)} |" for name, kind in of_service.items()
        ]
    return "\n".join(["| role | assumed by | may |", "| --- | --- | --- |", *rows])


def finding_table(stacks: SynthesizedStacks) -> str:
    """Return the table of acknowledged findings."""
    rows = []
    for (rule, reason), places in sorted(stacks.acknowledged().items()):
        where = ", ".join(sorted(places)) if len(places) <= SHOWN else f"{len(places)} places"
        rows.append(f"| {rule} | {reason} | {where} |")
    return "\n".join(["| rule | reason | where |", "| --- | --- | --- |", *rows])


def deployment_policies(types: Iterable[str]) -> list[Json]:
    """Return what CloudFormation must be allowed to do to make, change and remove resources of these types.

    The actions are those that the resource types' own schemas name for their handlers. Roles are made and
    passed under the project's names only, beside them roles that services make for themselves; nothing else
    of IAM is there.
    """
    actions: set[str] = set()
    for kind in {*types, *OF_SOME_WORKLOADS}:
        if kind.startswith(_CUSTOM):  # a function of ours does it
            actions.add("lambda:InvokeFunction")
            continue
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(_REGION_OF_SCHEMAS, kind).schema
        for handler in schema["handlers"].values():
            actions.update(handler.get("permissions", ()))
    of_iam = {action for action in actions if action.startswith("iam:")} | {"iam:PassRole"}
    # the handlers of policies name those of users and groups, too
    of_services = sorted(action for action in of_iam if "ServiceLinkedRole" in action)
    of_roles = sorted(action for action in of_iam if "Role" in action and action not in of_services)
    rest = sorted(actions - of_iam)
    resources = f"arn:aws:iam::*:role/{_PREFIX}*"
    documents = [
        _policy(
            _statement("Roles", of_roles, resources),
            _statement("ServicesOwnRoles", of_services, _SERVICES_ROLES),
        )
    ]
    while rest:
        taken = len(rest)
        while len(_compact(_policy(_statement("Resources", rest[:taken], "*")))) > POLICY_CHARACTERS:
            taken -= 1
        documents.append(_policy(_statement("Resources", rest[:taken], "*")))
        rest = rest[taken:]
    return documents


def put_between(text: str, name: str, content: str) -> str:
    """Return a document with new content between the markers of a name."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{content}\n{end}{after}"


def main(folder: Path) -> None:
    """Write tables and policies."""
    stacks = SynthesizedStacks(folder, [spec.name for spec in load_workloads(ROOT / "workloads")])
    text = DOCUMENT.read_text()
    text = put_between(text, "roles", role_table(stacks))
    DOCUMENT.write_text(put_between(text, "findings", finding_table(stacks)))
    POLICIES.mkdir(exist_ok=True)
    for old in POLICIES.glob("*.json"):
        old.unlink()
    for number, document in enumerate(deployment_policies(stacks.resource_types()), start=1):
        (POLICIES / f"{number}.json").write_text(json.dumps(document, indent=1) + "\n")


def _paths(metadata: Json) -> dict[str, str]:
    """Return the construct path of each logical id, without the stack's slash and the last `Resource`."""
    return {
        entry["data"]: re.sub(r"/Resource$", "", path.strip("/"))
        for path, entries in metadata.items()
        for entry in entries
        if entry["type"] == "aws:cdk:logicalId"
    }


def _statements_of(role: str, body: Json, resources: Json) -> Iterator[Json]:
    for policy in body["Properties"].get("Policies", ()):
        yield from policy["PolicyDocument"]["Statement"]
    for other in resources.values():
        if other["Type"] == "AWS::IAM::Policy" and {"Ref": role} in other["Properties"]["Roles"]:
            yield from other["Properties"]["PolicyDocument"]["Statement"]


def _words(pairs: set[tuple[str, str]]) -> str:
    by_service: dict[str, list[str]] = defaultdict(list)
    for service, name in sorted(pairs):
        by_service[service].append(name)
    return " · ".join(f"{service}: {', '.join(names)}" for service, names in by_service.items()) or "–"


def _many(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _statement(name: str, actions: list[str], resource: str) -> Json:
    return {"Sid": name, "Effect": "Allow", "Action": actions, "Resource": resource}


def _policy(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _compact(document: Json) -> str:
    return json.dumps(document, separators=(",", ":"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
