"""A workload is one file: what it adds is what every other one has, and no code knows of it."""

from __future__ import annotations

import json
import re
from collections import Counter

from infra.naming import pascal_name
from tests.infra.conftest import EXTRA_WORKLOAD, ROOT, WORKLOADS
from tests.infra.templates import Templates
from watchkeeper.core import layout

CONSTRUCT_HASH = re.compile(r"[0-9A-F]{8}$")


def own_resources(templates: Templates, workload: str) -> Counter[tuple[str, str]]:
    return Counter(
        (each.type, CONSTRUCT_HASH.sub("", each.logical_id))
        for each in templates.resources(stack=layout.workload_stack(workload))
        if each.type != "AWS::SNS::Subscription"
    )


def test_one_more_file_adds_the_same_resources_as_every_other(templates: Templates) -> None:
    added = own_resources(templates, EXTRA_WORKLOAD)
    assert added
    assert added == own_resources(templates, "water_flow")


def test_scoring_reaches_the_objects_endpoint_and_plan_of_every_workload(templates: Templates) -> None:
    """By what their names begin with: its policy does not grow."""
    policy = str(templates.one("AWS::IAM::Policy", stack="WatchkeeperScoring", having="Score").properties)
    assert "/raw/*" in policy
    assert "endpoint/watchkeeper-*" in policy
    assert "parameter/watchkeeper/*/plan" in policy


def test_no_shared_template_names_a_workload(templates: Templates) -> None:
    for stack, template in templates.by_stack.items():
        if not stack.startswith("Watchkeeper-"):
            text = json.dumps(template)
            for name in WORKLOADS:
                for spelled in (name, layout.dashed(name), pascal_name(name)):
                    assert spelled not in text, f"{stack}: {spelled}"


def test_no_code_names_a_workload() -> None:
    names = [EXTRA_WORKLOAD, *(path.stem for path in ROOT.glob("workloads/*.yaml"))]
    for source in [ROOT / "app.py", *ROOT.glob("infra/**/*.py")]:
        text = re.sub(r'"""(?:.|\n)*?"""', "", source.read_text())
        assert not [name for name in names if name in text], source
