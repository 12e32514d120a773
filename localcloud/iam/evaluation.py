"""AWS's evaluation of one request within an account.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html: a deny anywhere
wins; then a resource policy that names the caller, or an identity policy within its boundary, allows. A key
policy or a trust policy must allow by itself: an identity policy counts for a key only where the key policy
hands it to the account.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from localcloud.iam.conditions import Context, Values
from localcloud.iam.policies import Statement

Statements = tuple[Statement, ...]


class Ground(Enum):
    """Which policies decided."""

    IDENTITY = "identity-based policy"
    RESOURCE = "resource-based policy"
    BOUNDARY = "permissions boundary"
    GRANT = "grant"


class Rule(Enum):
    """How the policy of a resource counts."""

    EITHER = "identity or resource"
    """Of most services: an allow in either policy suffices."""
    RESOURCE_FIRST = "resource first"
    """Of keys: the key policy allows the caller, or the account whose identity policies then count."""
    RESOURCE_ONLY = "resource only"
    """Of roles that are assumed: the trust policy alone."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: a session of a role, or an AWS service in its own name.

    Attributes
    ----------
    arn : str
        ARN of the session; of a service its name, such as ``events.amazonaws.com``.
    role_arn : str
        ARN of the role, empty for a service.
    """

    arn: str
    role_arn: str = ""

    @property
    def is_service(self) -> bool:
        """Whether it is a service in its own name."""
        return not self.role_arn

    @property
    def account(self) -> str:
        """Account of the role."""
        return self.role_arn.split(":")[4] if self.role_arn else ""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for."""

    principal: Principal
    action: str
    resource: str
    context: Context = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Policies:
    """The policies that a request is evaluated by."""

    identity: Statements = ()
    boundary: Statements | None = None
    resource: Statements = ()
    rule: Rule = Rule.EITHER
    granted: frozenset[str] = frozenset()
    """Actions that grants of the key give to the caller."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Allowed or not, on what ground, and by which statements (more than one where several must agree)."""

    allowed: bool
    ground: Ground
    statements: tuple[str, ...] = ()
    explicit: bool = False

    def message(self, request: Request) -> str:
        """Return AWS's sentence about a denial."""
        if self.explicit:
            why = f"with an explicit deny in a{'n' if self.ground is Ground.IDENTITY else ''}"
            why = f"{why} {self.ground.value}"
        else:
            why = f"because no {self.ground.value} allows the {request.action} action"
        return (
            f"User: {request.principal.arn} is not authorized to perform: {request.action} "
            f"on resource: {request.resource} {why}"
        )


def evaluate(request: Request, policies: Policies) -> Decision:
    """Decide about one request."""
    of_caller = [each for each in policies.resource if names(each, request.principal)]
    grounds = (
        (Ground.IDENTITY, policies.identity),
        (Ground.BOUNDARY, policies.boundary or ()),
        (Ground.RESOURCE, of_caller),
    )
    for ground, statements in grounds:
        denying = _first(request, statements, "Deny")
        if denying is not None:
            return Decision(False, ground, (denying.name,), explicit=True)
    if request.action in policies.granted:
        return Decision(True, Ground.GRANT)
    by_resource = _allowed_by_resource(request, policies, of_caller)
    if by_resource is not None:
        return by_resource
    if request.principal.is_service or policies.rule is Rule.RESOURCE_ONLY:
        return Decision(False, Ground.RESOURCE)
    delegated = _delegated(request, policies)
    if policies.rule is Rule.RESOURCE_FIRST and delegated is None:
        return Decision(False, Ground.RESOURCE)
    allowing = _first(request, policies.identity, "Allow")
    if allowing is None:
        return Decision(False, Ground.IDENTITY)
    bounding = _bounding(request, policies)
    if policies.boundary is not None and bounding is None:
        return Decision(False, Ground.BOUNDARY)
    together = (allowing, bounding, delegated if policies.rule is Rule.RESOURCE_FIRST else None)
    return Decision(True, Ground.IDENTITY, tuple(each.name for each in together if each is not None))


def names(statement: Statement, principal: Principal) -> bool:
    """Whether a statement of a resource's policy is about a caller itself, not its whole account."""
    if statement.not_principals is not None:
        return not _listed(statement.not_principals, principal, whole_account=True)
    return _listed(statement.principals or {}, principal, whole_account=statement.effect == "Deny")


def _listed(principals: Mapping[str, Values], principal: Principal, *, whole_account: bool) -> bool:
    if "*" in principals:
        return True
    if principal.is_service:
        return principal.arn in principals.get("Service", ()) or "*" in principals.get("AWS", ())
    accepted = {principal.arn, principal.role_arn, "*"}
    if whole_account:
        accepted |= _account_names(principal)
    return any(name in accepted for name in principals.get("AWS", ()))


def _account_names(principal: Principal) -> set[str]:
    partition = principal.role_arn.split(":")[1]
    return {principal.account, f"arn:{partition}:iam::{principal.account}:root"}


def _allowed_by_resource(
    request: Request, policies: Policies, of_caller: Iterable[Statement]
) -> Decision | None:
    allowing = _first(request, of_caller, "Allow")
    if allowing is None:
        return None
    session_itself = request.principal.arn in (allowing.principals or {}).get("AWS", ())
    if policies.boundary is not None and not session_itself:
        # The boundary limits what a resource policy gives to a role, not what it gives to a session.
        bounding = _bounding(request, policies)
        if bounding is None:
            return None
        return Decision(True, Ground.RESOURCE, (allowing.name, bounding.name))
    return Decision(True, Ground.RESOURCE, (allowing.name,))


def _delegated(request: Request, policies: Policies) -> Statement | None:
    if request.principal.is_service:
        return None
    accounts = _account_names(request.principal)

    def to_account(statement: Statement) -> bool:
        return any(name in accounts for name in (statement.principals or {}).get("AWS", ()))

    return _first(request, filter(to_account, policies.resource), "Allow")


def _bounding(request: Request, policies: Policies) -> Statement | None:
    return _first(request, policies.boundary or (), "Allow")


def _first(request: Request, statements: Iterable[Statement], effect: str) -> Statement | None:
    for statement in statements:
        if statement.effect == effect and statement.concerns(
            request.action, request.resource, request.context
        ):
            return statement
    return None
