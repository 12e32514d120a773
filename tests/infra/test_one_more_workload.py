"""A workload is one file: what it adds is what every other one has, and no code knows of it."""

from __future__ import annotations

import re
from collections import Counter

from tests.infra.conftest import EXTRA_WORKLOAD, ROOT
from tests.infra.templates import Templates

CONSTRUCT_HASH = re.compile(r"[0-9A-F]{8}$")


def own_resources(templates: Templates, pascal_name: str) -> Counter[tuple[str, str, str]]:
    return Counter(
        (each.stack, each.type, CONSTRUCT_HASH.sub("", each.logical_id).replace(pascal_name, "NAME"))
        for each in templates.resources()
        if pascal_name in each.logical_id and each.type != "AWS::SNS::Subscription"
    )


def test_one_more_file_adds_the_same_resources_as_every_other(templates: Templates) -> None:
    added = own_resources(templates, "PumpPressure")
    assert added == own_resources(templates, "WaterFlow")
    assert {stack for stack, _, _ in added} == {
        "WatchkeeperIngestion",
        "WatchkeeperMonitoring",
        "WatchkeeperScoring",
        "WatchkeeperStorage",
        "WatchkeeperTraining",
    }


def test_one_more_file_opens_its_objects_and_endpoint_to_scoring(templates: Templates) -> None:
    policy = templates.one("AWS::IAM::Policy", stack="WatchkeeperScoring").properties
    assert "/raw/workload=pump_pressure/*" in str(policy)
    assert "endpoint/watchkeeper-pump-pressure" in str(policy)
    assert "parameter/watchkeeper/pump_pressure/plan" in str(policy)


def test_no_code_names_a_workload() -> None:
    names = [EXTRA_WORKLOAD, *(path.stem for path in ROOT.glob("workloads/*.yaml"))]
    for source in [ROOT / "app.py", *ROOT.glob("infra/**/*.py")]:
        text = re.sub(r'"""(?:.|\n)*?"""', "", source.read_text())
        assert not [name for name in names if name in text], source
