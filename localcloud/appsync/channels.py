"""Names of channels: https://docs.aws.amazon.com/appsync/latest/eventapi/channel-namespaces.html."""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST_SEGMENTS = 5
WILDCARD = "*"
"""As the last segment of what is subscribed to: every channel below the others."""

_SEGMENT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,48}[A-Za-z0-9])?")


class InvalidChannelError(ValueError):
    """A text that names no channel."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel, or all that are below one."""

    segments: tuple[str, ...]

    @property
    def namespace(self) -> str:
        """The first segment."""
        return self.segments[0]

    @property
    def path(self) -> str:
        """The channel as handlers are told it."""
        return "/" + "/".join(self.segments)

    def hears(self, published: Channel) -> bool:
        """Whether who subscribed to this one is sent what is published to another."""
        if self.segments[-1] != WILDCARD:
            return self == published
        above = self.segments[:-1]
        return len(published.segments) > len(above) and published.segments[: len(above)] == above


def parse_channel(text: object, *, subscribing: bool) -> Channel:
    """Read a channel's name; the slashes at both ends may be missing.

    Parameters
    ----------
    subscribing
        Whether the last segment may be the wildcard.

    Raises
    ------
    InvalidChannelError
        In AWS's words.
    """
    segments = tuple(str(text).strip("/").split("/")) if isinstance(text, str) else ()
    named = segments[:-1] if subscribing and len(segments) > 1 and segments[-1] == WILDCARD else segments
    if not 1 <= len(segments) <= MOST_SEGMENTS or not all(map(_SEGMENT.fullmatch, named)):
        raise InvalidChannelError("Invalid Channel Format")
    return Channel(segments)
