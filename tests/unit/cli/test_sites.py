"""Plans of private wireless sites: capacity, headroom, cost, and which sites are over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from watchkeeper.command.failures import ReportingGroup
from watchkeeper.command.main import LIBRARY_VERBS, application

EXAMPLE = Path(__file__).resolve().parents[3] / "docs" / "examples" / "sites.yaml"
FINE = (
    "sites:\n- {name: a, radio_units: 1, days: 90, devices: [{name: x, count: 2, megabits_per_second: 30}]}\n"
)


def sites(*arguments: object) -> Result:
    return CliRunner().invoke(application(LIBRARY_VERBS, ReportingGroup, ""), ["sites", *map(str, arguments)])


def test_of_the_example_four_sites_are_over_each_over_another_limit() -> None:
    answer = sites(EXAMPLE, "--json")

    assert answer.exit_code == 1
    document = json.loads(answer.stdout)
    assert {site["name"]: site["over"] for site in document["sites"]} == {
        "press shop": [],
        "paint line": ["throughput"],
        "warehouse": ["sims"],
        "trade fair": ["term"],
        "quay": ["budget"],
    }
    by_name = {site["name"]: site for site in document["sites"]}
    # 120 sensors of 400 bytes a second, 12 cameras of 8 Mbps
    assert by_name["press shop"]["megabits_per_second"] == pytest.approx(120 * 400 * 8 / 1e6 + 96)
    assert by_name["press shop"]["headroom"] == pytest.approx(1 - 132 / 200)
    assert by_name["paint line"]["needed_units"] == 3
    assert by_name["trade fair"]["usd"] == 10 * 24 * 60
    assert by_name["quay"]["usd"] == 3 * 10 * 24 * 365
    assert document["limits"]["source"].endswith("the rest not confirmed")
    assert "4 of 5 sites are over a limit" in answer.stderr


def test_the_table_has_the_limits_with_their_source() -> None:
    answer = sites(EXAMPLE)

    assert "320.0 of 300" in answer.stdout
    assert "150 Mbps, 100 SIMs, 10 USD an hour, 60 days at least" in answer.stdout


def test_a_plan_within_its_limits_ends_well_and_limits_are_parameters(tmp_path: Path) -> None:
    file = tmp_path / "sites.yaml"
    file.write_text(FINE)
    assert sites(file).exit_code == 0
    file.write_text("limits: {megabits_per_second: 50, source: our supplier}\n" + FINE)
    answer = sites(file)
    assert answer.exit_code == 1
    assert "our supplier" in answer.stdout


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("count: 2", "count: none", "sites[0].devices[0].count: 'none': must be a whole number"),
        (", megabits_per_second: 30", "", "name megabits_per_second, or message_bytes"),
        ("radio_units: 1", "radio_unit: 1", "did you mean radio_units?"),
        ("sites:", "site:", "unknown key; did you mean sites?"),
        (FINE, "[", "not YAML"),
        (FINE, "a", "must be a mapping with the key sites"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, old: str, new: str, told: str) -> None:
    file = tmp_path / "sites.yaml"
    file.write_text(FINE.replace(old, new))

    answer = sites(file)

    assert answer.exit_code == 2
    assert told in answer.stderr
    assert f"{file}:" in answer.stderr
