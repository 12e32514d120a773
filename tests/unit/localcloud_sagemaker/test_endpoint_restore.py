"""Endpoints after a restart whose containers die: they are started again, and never left Failed."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from localcloud.sagemaker import endpoints
from localcloud.sagemaker.context import Context
from localcloud.sagemaker.endpoints import EndpointSupervisor
from localcloud.sagemaker.errors import JobFailedError
from localcloud.sagemaker.kinds import ENDPOINT
from localcloud.sagemaker.logs import LogSender
from localcloud.settings import Settings


class DyingFleet:
    """Does not start as often as a test says."""

    deaths = 0
    started: list[str]
    ended: list[str]
    while_starting: Callable[[], None] | None = None

    def __init__(self, context: Any, logs: Any, name: str, plan: Any) -> None:
        self.name = name

    def start(self) -> None:
        if DyingFleet.deaths:
            DyingFleet.deaths -= 1
            raise JobFailedError("the container died")
        if DyingFleet.while_starting:
            DyingFleet.while_starting()
        DyingFleet.started.append(self.name)

    def end(self) -> None:
        DyingFleet.ended.append(self.name)


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    monkeypatch.setattr(endpoints, "Fleet", DyingFleet)
    monkeypatch.setattr(endpoints, "_FIRST_PAUSE_SECONDS", 0.001)
    DyingFleet.deaths, DyingFleet.started, DyingFleet.ended = 0, [], []
    DyingFleet.while_starting = None

    def no_image(uri: str) -> Any:
        raise JobFailedError(uri)

    made = Context(Settings(home=tmp_path), no_image)
    plan = {"configuration": "c", "variants": [], "capture": None}
    made.store.add(ENDPOINT, "e", {"EndpointName": "e", "EndpointStatus": "InService", "_plan": plan})
    return made


def resumed(context: Context) -> EndpointSupervisor:
    supervisor = EndpointSupervisor(context, LogSender(context))
    supervisor.resume()
    return supervisor


def until(condition: Callable[[], object]) -> None:
    for _ in range(2000):
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError("not within 10 s")


def test_an_endpoint_whose_container_dies_is_started_again_and_stays_in_service(context: Context) -> None:
    DyingFleet.deaths = 4

    supervisor = resumed(context)

    until(lambda: supervisor.fleet("e"))
    assert DyingFleet.started == ["e"]
    assert context.store.get(ENDPOINT, "e")["EndpointStatus"] == "InService"


def test_an_endpoint_that_does_not_start_before_the_server_ends_heals_at_the_next_start(
    context: Context,
) -> None:
    DyingFleet.deaths = 10_000
    first = resumed(context)
    until(lambda: DyingFleet.deaths < 9_998)
    first.abandon()
    assert context.store.get(ENDPOINT, "e")["EndpointStatus"] == "InService"

    DyingFleet.deaths = 0
    second = resumed(context)
    until(lambda: second.fleet("e"))


def test_a_fleet_that_starts_after_its_endpoint_was_deleted_is_ended(context: Context) -> None:
    DyingFleet.while_starting = lambda: context.store.remove(ENDPOINT, "e") and None

    resumed(context)

    until(lambda: DyingFleet.ended == ["e"])
