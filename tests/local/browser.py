"""Chromium before the deployed console: a test says step by step what somebody does and sees."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.local.laptop import ROOT, Laptop

PICTURES = ROOT / "build" / "tests" / "browser"
"""How a page was when a step failed."""
OF_THE_NETWORK = ("Failed to load resource", "WebSocket connection to")


@dataclass(frozen=True)
class Seen:
    """Something on a page."""

    at: float
    """When it was seen, in seconds since 1970."""
    text: str = ""
    href: str | None = None


@dataclass(frozen=True)
class Tab:
    """What one person has open. Each step waits for what it is about, for two minutes at most."""

    walker: subprocess.Popen[str]
    who: str

    def open(self, path: str = "") -> None:
        """Load an address below the console's root."""
        self._step("open", path=path)

    def shows(self, selector: str, text: str | None = None) -> Seen:
        """Wait until something is on the page, with this text in it, and return the first of it."""
        return Seen(**self._step("shown", selector=selector, **({} if text is None else {"text": text})))

    def shows_no(self, selector: str, text: str) -> None:
        """Wait until nothing of this text is on the page."""
        self._step("shown", selector=selector, text=text, gone=True)

    def all(self, selector: str) -> list[Seen]:
        """Return all of it that is there now."""
        return [Seen(0.0, **each) for each in self._step("all", selector=selector)]

    def click(self, name: str, role: str = "button") -> None:
        """Click what a reader of the screen hears under this name."""
        self._step("click", role=role, name=name)

    def follow(self, selector: str, text: str) -> None:
        """Click something by its text."""
        self._step("follow", selector=selector, text=text)

    def fill(self, label: str, value: str) -> None:
        """Give a field a value."""
        self._step("fill", label=label, value=value)

    @contextmanager
    def offline(self) -> Iterator[None]:
        """Let the browser be without a network."""
        self._step("offline", **{"is": True})
        try:
            yield
        finally:
            self._step("offline", **{"is": False})

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
        """Ask the API with the page's own token; return status and document."""
        answer = self._step("ask", method=method, path=path, body=body)
        return answer["status"], answer["body"]

    @property
    def loads(self) -> int:
        """How often the page was loaded."""
        return int(self._step("told")["loads"])

    @property
    def faults(self) -> list[str]:
        """What the browser says is wrong with the page; what its network refuses is none."""
        said = self._step("told")["faults"]
        return [fault for fault in said if not fault.startswith(OF_THE_NETWORK)]

    @property
    def url(self) -> str:
        """Where it is."""
        return str(self._step("told")["url"])

    def _step(self, step: str, **asked: Any) -> Any:
        assert self.walker.stdin is not None
        self.walker.stdin.write(json.dumps({"step": step, "who": self.who, **asked}) + "\n")
        self.walker.stdin.flush()
        answer = _read(self.walker)
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer


@contextmanager
def browser(laptop: Laptop) -> Iterator[subprocess.Popen[str]]:
    """Start Chromium before a laptop's console; skip where the machine has none."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    walker = subprocess.Popen(
        ["node", "dev/walk.mjs", f"{laptop.service_url}/console/", str(PICTURES)],
        cwd=ROOT / "web",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        said = _read(walker)
        if "missing" in said:
            pytest.skip(f"the console's tests in a browser are left out: {said['missing']}")
        yield walker
    finally:
        walker.communicate(timeout=60)


def _read(walker: subprocess.Popen[str]) -> Any:
    assert walker.stdout is not None
    line = walker.stdout.readline()
    assert line, f"the script with the browser has ended with {walker.wait(10)}"
    return json.loads(line)
