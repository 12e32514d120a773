"""Decides about calls, remembers what it decided, and refuses where the laptop is told to."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import lru_cache

from localcloud.authorization.account import Account
from localcloud.authorization.credentials import Credentials, Keyring, session
from localcloud.authorization.encryption import Encryption
from localcloud.authorization.journal import Recorder
from localcloud.authorization.needs import Need, Parameters, Place, needs_of
from localcloud.iam.conditions import Context
from localcloud.iam.evaluation import Decision, Policies, Principal, Request, evaluate
from localcloud.seams.responses import request_scope
from localcloud.settings import Settings

logger = logging.getLogger(__name__)

# Services that say for which account and resource they assume a role, for the role's trust policy to check.
_SAY_SOURCE = {"appsync", "sagemaker", "states", "firehose", "iot", "scheduler", "events"}


class AccessDeniedError(Exception):
    """A call is refused; the message is AWS's sentence."""

    def __init__(self, request: Request, decision: Decision) -> None:
        super().__init__(decision.message(request))
        self.request = request
        self.decision = decision


class Authority:
    """Evaluates every call of a role and of a service.

    Parameters
    ----------
    settings
        Of the local cloud; `iam` says whether a denial is a refusal.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._enforce = settings.iam == "enforce"
        folder = settings.home / "iam"
        self.place = Place(settings.account, settings.region)
        self.keyring = Keyring(folder)
        self._account = Account(settings.account)
        self._encryption = Encryption(self.place)
        self._recorder = Recorder(folder, self._account)

    def open(self) -> None:
        """Load what an earlier process has issued and recorded."""
        self.keyring.open()
        self._recorder.open()

    def save(self) -> None:
        """Write what was recorded."""
        with request_scope(self._settings.account, self._settings.region):
            self._recorder.write()

    @property
    def denied(self) -> int:
        """Number of distinct requests that were denied."""
        return self._recorder.denied

    def unanswered(self, error: Exception) -> None:
        """Refuse what cannot be evaluated, or say so in the log where the laptop only records.

        Raises
        ------
        Exception
            The error itself.
        """
        if self._enforce:
            raise error
        logger.warning("not evaluated: %s", error)

    def require(self, principal: Principal | None, needs: Iterable[Need], *, whole: bool = True) -> None:
        """Refuse a call that lacks a permission, those of the keys of its resources included.

        Parameters
        ----------
        principal
            Who calls; the developer (None) may do everything.
        needs
            All that the call needs.
        whole
            As `Encryption.needs` takes it.

        Raises
        ------
        AccessDeniedError
            For the first permission that is missing, unless the laptop only records.
        """
        if principal is None:
            return
        with request_scope(self._settings.account, self._settings.region):
            for need in needs:
                self._decide(principal, need, self._account.policies(principal, need))
                for of_key in self._encryption.needs(need, whole=whole):
                    self._decide(principal, of_key, self._account.policies(principal, of_key))

    def allows(self, principal: Principal | None, needs: Iterable[Need]) -> bool:
        """Whether a call may be made, for what goes on without it."""
        try:
            self.require(principal, needs)
        except AccessDeniedError:
            return False
        return True

    def require_operation(
        self, principal: Principal | None, service: str, operation: str, parameters: Parameters
    ) -> None:
        """Refuse an API call that lacks a permission; see `require`.

        Raises
        ------
        AccessDeniedError, UnknownNeedError
            As `require` and `needs_of` do.
        """
        if principal is not None:
            self.require(principal, needs_of(service, operation, parameters, self.place))

    def require_of_service(self, service: str, need: Need, source_arn: str) -> None:
        """Refuse what an AWS service calls in its own name for one of the account's resources.

        Parameters
        ----------
        service
            Such as `events`.
        source_arn
            The resource for which it calls, such as the rule.

        Raises
        ------
        AccessDeniedError
            As `require` does.
        """
        source = self._source(source_arn)
        principal = Principal(f"{service}.amazonaws.com")
        with request_scope(self._settings.account, self._settings.region):
            asked = Need(need.action, need.resource, {**need.context, **source})
            self._decide(principal, asked, self._account.policies(principal, asked))
            for of_key in self._encryption.needs(need):
                context = {**of_key.context, **source}
                asked = Need(of_key.action, of_key.resource, context)
                self._decide(principal, asked, self._account.policies(principal, asked))

    def assume(self, service: str, role_arn: str, session_name: str, source_arn: str) -> Principal:
        """Return the session that a service has of a role, as the role's trust policy lets it.

        Raises
        ------
        AccessDeniedError
            When the trust policy does not name the service, or not for this resource.
        """
        source = self._source(source_arn) if service in _SAY_SOURCE else {}
        need = Need("sts:AssumeRole", role_arn, source)
        with request_scope(self._settings.account, self._settings.region):
            self._decide(Principal(f"{service}.amazonaws.com"), need, self._account.trust(role_arn))
        return session(role_arn, session_name)

    def credentials(self, service: str, role_arn: str, session_name: str, source_arn: str) -> Credentials:
        """Return the keys of the session that a service has of a role; see `assume`."""
        self.assume(service, role_arn, session_name, source_arn)
        return self.keyring.issue(role_arn, session_name)

    def _source(self, arn: str) -> dict[str, str]:
        return {"aws:sourceaccount": self._settings.account, "aws:sourcearn": arn}

    def _decide(self, principal: Principal, need: Need, policies: Policies) -> None:
        context = {**standing_context(principal, self.place.region), **need.context}
        request = Request(principal, need.action, need.resource, context)
        decision = evaluate(request, policies)
        self._recorder.record(need, request, decision, policies)
        if not decision.allowed and self._enforce:
            raise AccessDeniedError(request, decision)


class Guard:
    """What stands before calls of one kind.

    Parameters
    ----------
    authority
        Decides.
    """

    def __init__(self, authority: Authority) -> None:
        self._authority = authority


@lru_cache(maxsize=1024)
def standing_context(principal: Principal, region: str) -> Context:
    """Return the keys that every request of a caller has; the laptop's plain HTTP stands for AWS's TLS."""
    context = {"aws:securetransport": "true", "aws:requestedregion": region}
    if not principal.is_service:
        context |= {
            "aws:principalarn": principal.role_arn,
            "aws:principalaccount": principal.account,
            "aws:resourceaccount": principal.account,
        }
    return context
