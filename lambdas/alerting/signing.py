"""Signatures of webhooks, by the specification Standard Webhooks (https://www.standardwebhooks.com, 1.0.0).

The signed text is `ID.TIMESTAMP.BODY`; a signature is `v1,` and the base64 of its HMAC-SHA256. A receiver
checks it, refuses a timestamp that is too old, and an id that it had.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from watchkeeper.core.errors import ContractViolationError

PREFIX = "whsec_"
LEAST_BYTES = 16
"""Of a key; the specification advises 24 to 64."""


def signed_headers(message_id: str, timestamp: int, body: bytes, secret: str) -> dict[str, str]:
    """Return the headers that show who sent a body, and when.

    Parameters
    ----------
    message_id
        The same each time that the message is sent.
    timestamp
        Seconds since 1970, of this attempt.
    secret
        One key or several, by white space; each signs.

    Raises
    ------
    ContractViolationError
        If there is no key, or one is too short or not base64.

    Examples
    --------
    >>> signed_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}',
    ...     "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")["webhook-signature"]
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    signatures = [
        base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode() for key in _keys(secret)
    ]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def _keys(secret: str) -> list[bytes]:
    keys = [_key(word) for word in secret.split()]
    if not keys:
        raise ContractViolationError("the secret of the webhook is empty: give it a key")
    return keys


def _key(word: str) -> bytes:
    try:
        base64_text = word.removeprefix(PREFIX)
        key = base64.b64decode(base64_text, validate=True) if word.startswith(PREFIX) else word.encode()
    except binascii.Error as error:
        raise ContractViolationError(
            f"the secret of the webhook has a key with {PREFIX} that is not base64 after it"
        ) from error
    if len(key) < LEAST_BYTES:
        raise ContractViolationError(
            f"the secret of the webhook has a key of {len(key)} bytes: take {LEAST_BYTES} at least, such as "
            f"{PREFIX} and the output of `openssl rand -base64 32`"
        )
    return key
