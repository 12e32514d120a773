"""Tokens for the service: a user of its pool signs in by SRP, so that the password never leaves this machine.

The protocol is SRP-6a in the group of RFC 3526 with 3,072 bits, with Amazon Cognito's key derivation
(https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-authentication-flow.html).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from watchkeeper.client.transport import checked_url
from watchkeeper.core.errors import InvalidInputError, UnavailableError

EARLY_SECONDS = 120
"""A token is renewed so long before it expires."""
TIMEOUT_SECONDS = 30.0
_TARGET = "AWSCognitoIdentityProviderService"
_GENERATOR = 2
_PRIME = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3"
    "CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5"
    "AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356"
    "208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28F"
    "B5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33A85521AB"
    "DF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6B"
    "F12FFA06D98A0864D87602733EC86A64521F2B18177B200CBBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFC"
    "E0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
    16,
)


class SignIn:
    """Gives a valid ID token whenever it is called; signs in, or renews, when it must.

    Parameters
    ----------
    pool_id, client_id
        Outputs `UserPoolId` of the stack `WatchkeeperStorage` and `UserPoolClientId` of `WatchkeeperService`.
    username
        A user of the pool whose password is permanent.
    password
        It, or what returns it.
    code
        Returns the six digits of the user's authenticator, where the user has one.
    url
        Of the user pools; that of the pool's region in AWS without one.

    Examples
    --------
    >>> ann = SignIn("eu-west-1_a", "client", "ann", "secret")  # Client(url, token=ann)
    >>> ann.url
    'https://cognito-idp.eu-west-1.amazonaws.com/'
    """

    def __init__(
        self,
        pool_id: str,
        client_id: str,
        username: str,
        password: str | Callable[[], str],
        *,
        code: Callable[[], str] | None = None,
        url: str | None = None,
    ) -> None:
        region, separator, self._pool = pool_id.partition("_")
        if not separator:
            raise InvalidInputError(f"pool_id {pool_id!r}: must be REGION_NAME, such as eu-west-1_Ab12Cd34E")
        self.url = checked_url(url or f"https://cognito-idp.{region}.amazonaws.com/")
        self._client, self._username, self._password, self._code = client_id, username, password, code
        self._token, self._refresh, self._expires_at = "", "", 0.0

    def __call__(self) -> str:
        """Return an ID token that is valid for two minutes at least.

        Raises
        ------
        InvalidInputError
            If user and password, or the authenticator's code, are not taken.
        UnavailableError
            If the user pool does not answer.
        """
        if time.time() > self._expires_at - EARLY_SECONDS:
            result = self._renewed() or self._signed_in()
            self._token = result["IdToken"]
            self._refresh = result.get("RefreshToken", self._refresh)
            self._expires_at = time.time() + result["ExpiresIn"]
        return self._token

    def _renewed(self) -> dict[str, Any] | None:
        if not self._refresh:
            return None
        given = {"REFRESH_TOKEN": self._refresh}
        try:
            return self._result(
                self._ask("InitiateAuth", AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters=given)
            )
        except InvalidInputError:  # it is too old, or was revoked
            self._refresh = ""
            return None

    def _signed_in(self) -> dict[str, Any]:
        private = secrets.randbelow(_PRIME - 2) + 1
        public = pow(_GENERATOR, private, _PRIME)
        given = {"USERNAME": self._username, "SRP_A": format(public, "x")}
        asked = self._ask("InitiateAuth", AuthFlow="USER_SRP_AUTH", AuthParameters=given)
        if asked.get("ChallengeName") != "PASSWORD_VERIFIER":
            raise InvalidInputError(
                f"the user pool asks {asked.get('ChallengeName')}: SRP is not allowed there"
            )
        password = self._password if isinstance(self._password, str) else self._password()
        proof = password_proof(asked["ChallengeParameters"], self._pool, password, private, public)
        return self._result(self._respond("PASSWORD_VERIFIER", proof, asked.get("Session")))

    def _result(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        while "AuthenticationResult" not in answer:
            challenge = answer.get("ChallengeName")
            if challenge != "SOFTWARE_TOKEN_MFA" or self._code is None:
                raise InvalidInputError(f"user {self._username}: {_REMEDIES.get(str(challenge), challenge)}")
            given = {"USERNAME": self._username, "SOFTWARE_TOKEN_MFA_CODE": self._code()}
            answer = self._respond(challenge, given, answer.get("Session"))
        result: dict[str, Any] = answer["AuthenticationResult"]
        return result

    def _respond(self, challenge: str, responses: Mapping[str, str], session: str | None) -> dict[str, Any]:
        further = {"Session": session} if session else {}
        return self._ask(
            "RespondToAuthChallenge", ChallengeName=challenge, ChallengeResponses=responses, **further
        )

    def _ask(self, operation: str, **members: Any) -> dict[str, Any]:
        content = json.dumps({"ClientId": self._client, **members}).encode()
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"{_TARGET}.{operation}"}
        request = Request(self.url, data=content, headers=headers)  # noqa: S310 - `checked_url`
        try:
            with urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - `checked_url`
                document: dict[str, Any] = json.load(answer)
                return document
        except HTTPError as error:
            with error:
                text = error.read().decode(errors="replace")
            if error.code >= 500:
                raise UnavailableError(f"the user pool failed with {error.code}: {text[:200]}") from None
            raise InvalidInputError(f"user {self._username} is not signed in: {_message(text)}") from None
        except (URLError, TimeoutError, ConnectionError) as error:
            raise UnavailableError(f"the user pool {self.url} does not answer: {error}") from error


def password_proof(
    challenge: Mapping[str, str],
    pool: str,
    password: str,
    private: int,
    public: int,
    at: datetime | None = None,
) -> dict[str, str]:
    """Return the responses to Cognito's challenge `PASSWORD_VERIFIER`.

    Parameters
    ----------
    pool
        The part of the pool's id after the region.
    private, public
        The client's key pair of this attempt.
    at
        Now, without one.

    Raises
    ------
    InvalidInputError
        If the server's public key is none: someone else answers.
    """
    server, user = int(challenge["SRP_B"], 16), challenge["USER_ID_FOR_SRP"]
    scrambler = _hashed(_padded(public), _padded(server))
    if server % _PRIME == 0 or scrambler == 0:
        raise InvalidInputError("the user pool's public key is not valid: nothing was sent")
    inner = hashlib.sha256(f"{pool}{user}:{password}".encode()).digest()
    secret = _hashed(_padded(int(challenge["SALT"], 16)), inner)
    multiplier = _hashed(_padded(_PRIME), _padded(_GENERATOR))
    base = (server - multiplier * pow(_GENERATOR, secret, _PRIME)) % _PRIME
    shared = pow(base, private + scrambler * secret, _PRIME)
    extracted = hmac.digest(_padded(scrambler), _padded(shared), "sha256")
    key = hmac.digest(extracted, b"Caldera Derived Key\x01", "sha256")[:16]
    block = challenge["SECRET_BLOCK"]
    moment = at or datetime.now(UTC)
    # names of days and months are English whatever the locale is
    timestamp = (
        f"{_DAYS[moment.weekday()]} {_MONTHS[moment.month - 1]} {moment.day} "
        f"{moment:%H:%M:%S} UTC {moment.year}"
    )
    message = f"{pool}{user}".encode() + base64.b64decode(block) + timestamp.encode()
    return {
        "USERNAME": user,
        "PASSWORD_CLAIM_SECRET_BLOCK": block,
        "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(hmac.digest(key, message, "sha256")).decode(),
        "TIMESTAMP": timestamp,
    }


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_REMEDIES = {
    "NEW_PASSWORD_REQUIRED": "the password is temporary; an administrator sets a permanent one "
    "(`aws cognito-idp admin-set-user-password … --permanent`)",
    "SOFTWARE_TOKEN_MFA": "the user has an authenticator: give its code (`code=`)",
    "MFA_SETUP": "the pool requires an authenticator and the user has none yet",
}


def _padded(number: int) -> bytes:
    """Return a number as bytes of a positive two's complement integer, as Cognito hashes it."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _hashed(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha256(b"".join(parts)).digest(), "big")


def _message(text: str) -> str:
    try:
        document = json.loads(text)
    except ValueError:
        return text[:200]
    return str(document.get("message") or document.get("__type") or text[:200])
