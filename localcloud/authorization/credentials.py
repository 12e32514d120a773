"""Keys of roles' sessions, and the callers that are known by them."""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.environment import DEVELOPER
from localcloud.iam.evaluation import Principal
from localcloud.seams import iam

_SESSION_NAME = 64  # AWS: at most so many characters


class UnknownCallerError(Exception):
    """A request is signed with credentials that nobody issued; `code` is AWS's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Credentials:
    """Keys of one session of a role."""

    access_key_id: str
    secret_access_key: str
    session_token: str

    @property
    def variables(self) -> dict[str, str]:
        """As a process finds them in its environment."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_SESSION_TOKEN": self.session_token,
        }


class Keyring:
    """Issues credentials and recognises them, also after a restart: a presigned URL outlives the server.

    They are computed from a secret that is kept in the folder, and do not expire. A session that STS issued
    (`AssumeRole`) is recognised too, until it expires or the server ends.

    Parameters
    ----------
    folder
        Of the secret and of the list of issued sessions.
    """

    def __init__(self, folder: Path) -> None:
        self._issued = folder / "sessions.jsonl"
        self._secret_path = folder / "secret"
        self._secret = b""
        self._known: dict[tuple[str, str], Credentials] = {}
        self._lock = threading.Lock()

    def open(self) -> None:
        """Load the secret, which the first start makes, and what was issued under it."""
        self._issued.parent.mkdir(parents=True, exist_ok=True)
        if not self._secret_path.exists():
            self._secret_path.write_bytes(secrets.token_bytes(32))
        self._secret = self._secret_path.read_bytes()
        if self._issued.exists():
            for line in self._issued.read_text().splitlines():
                role_arn, name = json.loads(line)
                self._register(role_arn, name)

    def issue(self, role_arn: str, session_name: str) -> Credentials:
        """Return the credentials of a role's session; the same each time."""
        name = session_name[:_SESSION_NAME]
        with self._lock:
            known = self._known.get((role_arn, name))
            if known is None:
                known = self._register(role_arn, name)
                with self._issued.open("a") as file:
                    file.write(json.dumps([role_arn, name]) + "\n")
            return known

    def caller(self, access_key_id: str, session_token: str) -> Principal | None:
        """Return who signs with a key; None is the developer, who is the account's administrator.

        Raises
        ------
        UnknownCallerError
            When nobody has this key, the token is not the key's, or the session has expired.
        """
        if access_key_id == DEVELOPER:
            return None
        session = iam.sessions.get(access_key_id)
        if session is None:
            raise UnknownCallerError(
                "UnrecognizedClientException", "The security token included in the request is invalid."
            )
        if not hmac.compare_digest(str(session.get("SessionToken", "")).encode(), session_token.encode()):
            raise UnknownCallerError("InvalidToken", "The security token included in the request is invalid.")
        if session.get("Expiration", float("inf")) < time.time():
            raise UnknownCallerError(
                "ExpiredTokenException", "The security token included in the request is expired"
            )
        return session_of(str(session["Arn"]))

    def _register(self, role_arn: str, name: str) -> Credentials:
        def derived(purpose: str) -> bytes:
            message = "\n".join((purpose, role_arn, name)).encode()
            return hmac.new(self._secret, message, hashlib.sha256).digest()

        credentials = Credentials(
            access_key_id=f"ASIA{base64.b32encode(derived('id')).decode()[:16]}",
            secret_access_key=base64.b64encode(derived("key")).decode()[:40],
            session_token=base64.urlsafe_b64encode(derived("token")).decode(),
        )
        principal = session(role_arn, name)
        iam.register_session(
            credentials.access_key_id,
            {
                "Arn": principal.arn,
                "UserId": f"{principal.role_arn.rpartition('/')[2]}:{name}",
                "SecretAccessKey": credentials.secret_access_key,
                "SessionToken": credentials.session_token,
            },
        )
        self._known[role_arn, name] = credentials
        return credentials


def session(role_arn: str, name: str) -> Principal:
    """Return a role's session as a principal."""
    _, partition, _, _, account, resource = role_arn.split(":", 5)
    role = resource.rpartition("/")[2]
    return Principal(f"arn:{partition}:sts::{account}:assumed-role/{role}/{name[:_SESSION_NAME]}", role_arn)


def session_of(arn: str) -> Principal:
    """Return the principal of an assumed role's ARN, which names the role without its path."""
    _, partition, _, _, account, resource = arn.split(":", 5)
    name = resource.split("/")[1]
    role: Mapping[str, Any] = iam.roles.get_scoped(account, None, name) or {}
    return Principal(arn, str(role.get("Arn") or f"arn:{partition}:iam::{account}:role/{name}"))
