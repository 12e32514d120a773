"""The console's answers as pages are developed with, and the document that their types are made of.

`WATCHKEEPER_WRITE=1 pytest tests/contract/console` writes both anew; their difference is part of a review.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from moto import mock_aws

from lambdas.console import asking
from lambdas.console.access import ROUTES
from lambdas.console.openapi import document
from tests.unit.lambdas import conftest
from tests.unit.lambdas.console_world import AIR, BACKTEST, LAST, SERIES, World, run_id

ANSWERS = Path(__file__).with_name("answers")
OPENAPI = Path(__file__).resolve().parents[3] / "web" / "openapi.json"
WRITE = bool(os.environ.get("WATCHKEEPER_WRITE"))
SITES = OPENAPI.parents[1] / "docs" / "examples" / "sites.yaml"
OF_THE_FLEET = {"devices": "devices", "device": "devices/A17"}
_SPAN = "from=2026-11-29T18:00:00Z&to=2026-11-30T06:00:00Z"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        patch.setenv("AWS_DEFAULT_REGION", conftest.REGION)
        patch.setenv("POWERTOOLS_TRACE_DISABLED", "1")
        conftest._create_stores()
        world = World(conftest.Account().bus)
        patch.setattr(asking, "effects", lambda: world.effects)
        yield world


def paths(world: World) -> dict[str, str]:
    """Return what is asked for, by the name of the answer's file."""
    incident = world.incidents()[-2].incident_id
    of_air = f"/watch/workloads/{AIR}"
    return {
        "me": "/watch/me",
        "workloads": "/watch/workloads",
        "workload": of_air,
        "spec": f"{of_air}/spec",
        "cost": f"{of_air}/cost",
        "incidents": "/watch/incidents",
        "incident": f"/watch/incidents/{incident}",
        "log": f"{of_air}/log?{_SPAN}",
        "series": f"{of_air}/series",
        "labels": f"{of_air}/labels",
        "points": f"{of_air}/series/{quote(SERIES[0], safe='')}/points?{_SPAN}",
        "runs": f"{of_air}/runs",
        "run": f"{of_air}/runs/{run_id(LAST)}",
        "run_running": f"{of_air}/runs/{run_id(world.runs.runs[0])}",
        "run_failed": f"{of_air}/runs/{run_id(world.runs.runs[1])}",
        "releases": f"{of_air}/releases",
        "models": f"{of_air}/models",
        "model": f"{of_air}/models/2",
        "backtests": f"{of_air}/backtests",
        "backtest": f"{of_air}/backtests/{BACKTEST}",
        "digest": "/watch/digests/2026-11-29",
        "changes": "/watch/changes?since=e30=",
    }


def test_answers_are_those_that_pages_are_developed_with(world: World) -> None:
    stretch = {"series": SERIES[0], "start": "2026-11-29T18:50:00Z", "end": "2026-11-29T19:00:00Z"}
    world.call("POST", f"/watch/workloads/{AIR}/labels", {**stretch, "note": "valve stuck"})
    world.live = json.dumps({"http": "live.example", "realtime": "realtime.example"})
    found = {name: text_of(world.get(path)) for name, path in paths(world).items()}
    world.with_fleet()
    for name, path in OF_THE_FLEET.items():  # a certificate's id is the hash of what was just made
        found[name] = re.sub(r"[0-9a-f]{64}", "c0ffee", text_of(world.get(f"/watch/{path}")))
    found["sites"] = text_of(world.call("POST", "/watch/sites", {"text": SITES.read_text()}).document)
    if WRITE:
        for name, text in found.items():
            (ANSWERS / f"{name}.json").write_text(text)
    kept = {file.stem: file.read_text() for file in ANSWERS.glob("*.json")}
    assert kept == found, "WATCHKEEPER_WRITE=1 writes the answers anew"


def test_the_document_of_the_api_is_current() -> None:
    text = json.dumps(document(), indent=1, sort_keys=True) + "\n"
    if WRITE:
        OPENAPI.write_text(text)
    assert OPENAPI.read_text() == text, "python -m lambdas.console.openapi > web/openapi.json"


def test_the_document_describes_each_route_and_no_other() -> None:
    described = {
        (method.upper(), path.replace("{", "<").replace("}", ">"))
        for path, methods in document()["paths"].items()
        for method in methods
        if path.startswith("/watch/")
    }
    assert described == {(route.method, route.path) for route in ROUTES}


def text_of(answer: Any) -> str:
    return json.dumps(answer, indent=1) + "\n"
