"""Who receives alerts: subscriptions that SNS has, and what Watchkeeper delivers itself."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from watchkeeper.spec.section import Section

_PHONE = re.compile(r"\+[1-9]\d{6,14}")
_SECRET = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")
_BUS = re.compile(r"arn:[^:]+:events:[^:]+:\d{12}:event-bus/.+")
_HERE = ("127.0.0.1", "localhost")


class Subscription(Section):
    """Who receives a route's alerts by SNS."""

    protocol: Literal["email", "sms", "https", "sqs", "lambda"]
    """How alerts are delivered."""
    endpoint: str = Field(min_length=1)
    """E-mail address, telephone number, https URL, or ARN of the queue or function."""

    @field_validator("endpoint")
    @classmethod
    def _fits_the_protocol(cls, endpoint: str, info: ValidationInfo) -> str:
        wanted = {
            "email": ("@" in endpoint.strip("@") and " " not in endpoint, "an e-mail address"),
            "sms": (
                _PHONE.fullmatch(endpoint) is not None,
                "a telephone number in the form of E.164, such as +14155550100",
            ),
            "https": (
                endpoint.startswith("https://") and len(endpoint) > len("https://"),
                "a URL that begins with https://",
            ),
            "sqs": (endpoint.startswith("arn:") and ":sqs:" in endpoint, "the ARN of an SQS queue"),
            "lambda": (
                endpoint.startswith("arn:") and ":lambda:" in endpoint and ":function:" in endpoint,
                "the ARN of a Lambda function",
            ),
        }
        fits, description = wanted.get(info.data.get("protocol", ""), (True, ""))
        if not fits:
            raise ValueError(f"must be {description}")
        return endpoint


def _secret(value: str) -> str:
    if not _SECRET.fullmatch(value) or value.startswith("whsec_"):
        raise ValueError(
            "must be the name of a secret in Secrets Manager, not the secret: letters, digits and /_+=.@-"
        )
    return value


def _bus(value: str) -> str:
    if not _BUS.fullmatch(value):
        raise ValueError(
            "must be the ARN of an event bus, such as arn:aws:events:eu-west-1:123456789012:event-bus/plant"
        )
    return value


SecretName = Annotated[str, Field(min_length=1), AfterValidator(_secret)]
EventBus = Annotated[str, AfterValidator(_bus)]


class Webhook(Section):
    """A URL to which alerts are posted, signed as Standard Webhooks has it."""

    url: str
    """Begins with https://; http:// is for this machine."""
    secret: SecretName
    """Name of the secret in Secrets Manager with the key, such as whsec_ and base64; of several keys, by
    spaces, each signs: so one is exchanged for another."""
    format: Literal["json", "markdown", "text"] = "json"
    """`json`: the incident, for programs; the others have it in words, as `text` of a JSON object."""

    @field_validator("url")
    @classmethod
    def _can_be_trusted(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            host = parts.hostname
        except ValueError:
            host = None
        if not host or parts.scheme not in ("https", *(("http",) if host in _HERE else ())):
            raise ValueError("must be a URL that begins with https://")
        if parts.username or parts.password:
            raise ValueError("must have no password: what is secret is in Secrets Manager, under secret")
        return url


class Slack(Section):
    """A channel of Slack, or of what takes Slack's incoming webhooks."""

    secret: SecretName
    """Name of the secret in Secrets Manager with the webhook's URL."""
