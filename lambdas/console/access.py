"""The routes of the console's API, and the least role that each is for: what is not here, there is not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote, unquote

from lambdas.http.roles import Role

PREFIX = "/watch"
OF_SERIES = re.compile(rf"({PREFIX}/workloads/[^/]+/series/)(.+)(/points)")


@dataclass(frozen=True)
class Route:
    """A method of a path."""

    method: str
    path: str
    """Parameters are `<name>`."""
    role: Role = "viewer"

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What the paths of requests match."""
        return re.compile(re.sub(r"<\w+>", "[^/]+", self.path))

    @property
    def summary(self) -> str:
        """How a refusal calls it."""
        return f"{self.method} {self.path}"


_INCIDENT = f"{PREFIX}/incidents/<incident>"
_WORKLOAD = f"{PREFIX}/workloads/<workload>"
_DEVICE = f"{PREFIX}/devices/<device>"

ROUTES: tuple[Route, ...] = (
    Route("GET", f"{PREFIX}/me"),
    Route("GET", f"{PREFIX}/workloads"),
    Route("GET", _WORKLOAD),
    Route("GET", f"{_WORKLOAD}/spec", "operator"),
    Route("GET", f"{_WORKLOAD}/cost", "operator"),
    Route("POST", f"{_WORKLOAD}/routes/test", "operator"),
    Route("POST", f"{_WORKLOAD}/spec/draft", "operator"),
    Route("GET", f"{_WORKLOAD}/backtests"),
    Route("POST", f"{_WORKLOAD}/backtests", "operator"),
    Route("GET", f"{_WORKLOAD}/backtests/<backtest>"),
    Route("GET", f"{PREFIX}/incidents"),
    Route("GET", _INCIDENT),
    Route("POST", f"{_INCIDENT}/feedback", "operator"),
    Route("DELETE", f"{_INCIDENT}/feedback", "operator"),
    Route("POST", f"{_INCIDENT}/acknowledge", "operator"),
    Route("POST", f"{_INCIDENT}/assign", "operator"),
    Route("POST", f"{_INCIDENT}/snooze", "operator"),
    Route("GET", f"{PREFIX}/changes"),
    Route("GET", f"{PREFIX}/digests/<date>"),
    Route("POST", f"{_WORKLOAD}/pause", "operator"),
    Route("POST", f"{_WORKLOAD}/resume", "operator"),
    Route("GET", f"{_WORKLOAD}/log"),
    Route("GET", f"{_WORKLOAD}/series"),
    Route("GET", f"{_WORKLOAD}/series/<series>/points"),
    Route("GET", f"{_WORKLOAD}/labels"),
    Route("POST", f"{_WORKLOAD}/labels", "operator"),
    Route("DELETE", f"{_WORKLOAD}/labels/<label>", "operator"),
    Route("GET", f"{_WORKLOAD}/runs"),
    Route("POST", f"{_WORKLOAD}/runs", "admin"),
    Route("GET", f"{_WORKLOAD}/runs/<run>"),
    Route("GET", f"{_WORKLOAD}/runs/<run>/charts/<chart>"),
    Route("GET", f"{_WORKLOAD}/models"),
    Route("GET", f"{_WORKLOAD}/models/<version>"),
    Route("POST", f"{_WORKLOAD}/models/<version>/approve", "admin"),
    Route("POST", f"{_WORKLOAD}/models/<version>/reject", "admin"),
    Route("GET", f"{_WORKLOAD}/releases"),
    Route("POST", f"{_WORKLOAD}/releases/<run>/roll-back", "admin"),
    Route("GET", f"{PREFIX}/devices"),
    Route("GET", _DEVICE),
    Route("POST", f"{_DEVICE}/quarantine", "operator"),
    Route("POST", f"{_DEVICE}/restore", "operator"),
    Route("POST", f"{PREFIX}/sites"),
)
ANSWERS = f"{PREFIX}/answers"
"""The page behind links of alerts: the link's signature is all that it asks for."""
PUBLIC = (f"{PREFIX}/docs", f"{PREFIX}/openapi.json")
"""API Gateway lets them through without a token, where the deployment says so."""


def route_of(method: str, path: str) -> Route | None:
    """Return the route of a request."""
    return next(
        (route for route in ROUTES if route.method == method.upper() and route.pattern.fullmatch(path)), None
    )


def methods_of(path: str) -> list[str]:
    """Return the methods that a path has; none if it is unknown."""
    if path in PUBLIC:
        return ["GET"]
    if path == ANSWERS:
        return ["GET", "POST"]
    return sorted({route.method for route in ROUTES if route.pattern.fullmatch(path)})


def one_spelling(path: str) -> str:
    """Return a path in which a series' key is one segment, whether it came encoded or not."""
    path = path.rstrip("/") or "/"
    found = OF_SERIES.fullmatch(path)
    return path if found is None else f"{found[1]}{quote(unquote(found[2]), safe='')}{found[3]}"
