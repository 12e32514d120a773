"""The scoring function goes over to another release of a streaming detector."""

from __future__ import annotations

import dataclasses
import gzip
import json
from typing import Any

import pytest

from containers.anomaly.telemetry import Telemetry
from containers.anomaly.warm_up import Warmed, warm_shelf
from lambdas.adapters.object_store import ObjectUri
from lambdas.scoring.try_release import ReleaseFailedError, TryingEffects, attempt
from tests.unit.lambdas.builders import BUCKET, make_plan, make_release, make_run, reading
from tests.unit.lambdas.fakes import ScoringFakes
from watchkeeper.anomalies.quality import of_scores
from watchkeeper.core.plan import DetectorPlan, WorkloadPlan
from watchkeeper.core.timestamps import parse_instant
from watchkeeper.judgement.thresholds import RARITY, Threshold
from watchkeeper.lifecycle.release import Release, StreamModel
from watchkeeper.stream.judging import NO_LIVE_MODEL
from watchkeeper.stream.page_format import to_bytes
from watchkeeper.stream.warming import page_name, pages_of
from watchkeeper.telemetry.records import parse_record
from watchkeeper.telemetry.rows import format_row

PLAN: WorkloadPlan = make_plan(detector=DetectorPlan("watchkeeper"))
OTHER = {"refractory_rows": 30.0}


def released(minute: int, **parameters: float) -> Release:
    run = make_run(minute)
    return make_release(
        minute,
        threshold=Threshold(RARITY, 0.37499999999999994, {}, 0),
        stream=StreamModel(dict(parameters), 3.75, run.uris.pages, heard_until="2024-01-01T00"),
    )


def minutes(first: int, last: int, device: str = "a") -> list[str]:
    return [reading(60 * at, at % 9 + 50.0 * (at % 83 == 0), device=device) for at in range(first, last)]


def warm(fakes: ScoringFakes, release: Release, history: list[str]) -> list[Warmed]:
    """Put the run's pages where its release says that they are."""
    assert release.stream is not None
    telemetry = Telemetry(PLAN)
    for line in history:
        telemetry.take(parse_record(line.encode(), PLAN), "history.jsonl")
    found = []
    prefix = ObjectUri.parse(release.stream.pages)
    for unlearned in pages_of(telemetry.histories(), PLAN):
        page, warmed = warm_shelf(unlearned, release.stream, 0, release.run_id)
        fakes.objects.objects[ObjectUri(BUCKET, f"{prefix.key}{page_name(page.shelf)}")] = to_bytes(page)
        found.append(warmed)
    return found


def scores(fakes: ScoringFakes) -> dict[tuple[str, str], tuple[float | None, str | None]]:
    bodies = fakes.objects.under("scores/workload=").values()
    lines = [json.loads(line) for body in bodies for line in of_scores(gzip.decompress(body).splitlines())]
    assert len({(line["series"], line["interval_start"]) for line in lines}) == len(lines)
    return {
        (line["series"], line["interval_start"]): (line["anomaly_score"], line.get("run_id"))
        for line in lines
    }


def from_the_start(release: Release, *lines: str) -> dict[tuple[str, str], tuple[float | None, str | None]]:
    plain = dataclasses.replace(release, stream=dataclasses.replace(release.stream, pages=""))  # type: ignore[type-var]
    fakes = ScoringFakes(PLAN, plain)
    fakes.deliver("all", *lines)
    return scores(fakes)


def test_the_first_object_after_a_training_goes_on_where_the_history_ended() -> None:
    release = released(0)
    fakes = ScoringFakes(PLAN, release)
    warm(fakes, release, minutes(0, 120))

    fakes.deliver("live", *minutes(120, 200))

    found = scores(fakes)
    assert len(found) == 200 - 6 - (120 - 6), "lateness keeps the history's last intervals open"
    expected = from_the_start(release, *minutes(0, 200))
    assert found == {key: expected[key] for key in found}


def test_a_retraining_keeps_what_was_learned_and_takes_effect_at_the_next_object() -> None:
    first, second = released(0), released(1)
    fakes = ScoringFakes(PLAN, first)
    fakes.deliver("before", *minutes(0, 100))
    warm(fakes, second, minutes(0, 50))
    fakes.releases.release(second)
    fakes.effects.releases.read_again(PLAN.workload)

    fakes.deliver("after", *minutes(100, 160))

    expected = from_the_start(first, *minutes(0, 160))
    found = scores(fakes)
    assert {key: score for key, (score, _) in found.items()} == {
        key: score for key, (score, _) in expected.items()
    }
    assert {run for _, run in found.values()} == {first.run_id, second.run_id}


def test_other_parameters_learn_from_the_warm_page_and_from_the_scores_since() -> None:
    first, second = released(0), released(1, **OTHER)
    fakes = ScoringFakes(PLAN, first)
    fakes.deliver("before", *minutes(0, 100))
    warm(fakes, second, minutes(0, 60))
    fakes.releases.release(second)
    fakes.effects.releases.read_again(PLAN.workload)

    fakes.deliver("after", *minutes(100, 160))

    expected = from_the_start(second, *minutes(0, 160))
    found = {key: value for key, value in scores(fakes).items() if value[1] == second.run_id}
    assert found
    assert found == {key: expected[key] for key in found}


def test_a_page_that_is_behind_stays_with_its_release_until_it_has_caught_up() -> None:
    first, second = released(0), released(1, **OTHER)
    fakes = ScoringFakes(PLAN, first)
    fakes.deliver("before", *minutes(0, 40))
    warm(fakes, second, minutes(0, 100))
    fakes.releases.release(second)
    fakes.effects.releases.read_again(PLAN.workload)

    fakes.deliver("behind", *minutes(40, 120))
    fakes.deliver("level", *minutes(120, 160))

    runs = {start: run for (_, start), (_, run) in scores(fakes).items()}
    assert runs["2024-01-01T01:40:00Z"] == first.run_id
    assert runs["2024-01-01T02:20:00Z"] == second.run_id
    assert len(runs) == 160 - 6


def test_without_a_former_release_a_page_that_is_behind_has_no_model_yet() -> None:
    release = released(0)
    fakes = ScoringFakes(PLAN, None)
    fakes.deliver("before", *minutes(0, 40))
    warm(fakes, release, minutes(0, 100))
    fakes.releases.release(release)

    fakes.deliver("behind", *minutes(40, 80))

    bodies = fakes.objects.under("scores/workload=").values()
    reasons = {
        json.loads(line).get("reason")
        for body in bodies
        for line in of_scores(gzip.decompress(body).splitlines())
    }
    assert reasons == {NO_LIVE_MODEL}


def smoke(fakes: ScoringFakes, release: Release, warmed: list[Warmed], **changes: Any) -> dict[str, Any]:
    run = make_run()
    cases = [case for shelf in warmed for case in shelf.smoke]
    case = {
        "rows": [format_row(row) for row, _ in cases],
        "scores": [score for _, score in cases],
        "tolerance": 1e-6,
        **changes,
    }
    uri = ObjectUri.parse(f"{run.uris.evaluation}smoke.json")
    fakes.objects.objects[uri] = json.dumps(case).encode()
    fakes.releases.stage(release)
    return {"run": run.to_dict()}


def test_a_staged_release_is_tried_from_its_pages() -> None:
    release = released(0)
    fakes = ScoringFakes(PLAN, None)
    history = [line for device in "abc" for line in minutes(0, 60, device)]
    payload = smoke(fakes, release, warm(fakes, release, history))

    assert attempt(payload, TryingEffects(fakes.objects, fakes.releases)) == {"rows": 3}


def test_a_release_whose_pages_say_something_else_is_refused() -> None:
    release = released(0)
    fakes = ScoringFakes(PLAN, None)
    payload = smoke(fakes, release, warm(fakes, release, minutes(0, 60)), scores=[0.99])

    with pytest.raises(ReleaseFailedError, match=r"in the run it had 0\.99"):
        attempt(payload, TryingEffects(fakes.objects, fakes.releases))


def test_a_release_without_a_page_of_a_series_is_refused() -> None:
    release = released(0)
    fakes = ScoringFakes(PLAN, None)
    payload = smoke(fakes, release, warm(fakes, release, minutes(0, 60)))
    for uri in [uri for uri in fakes.objects.objects if uri.key.endswith(".page")]:
        del fakes.objects.objects[uri]

    with pytest.raises(ReleaseFailedError, match="no page of the release has the series"):
        attempt(payload, TryingEffects(fakes.objects, fakes.releases))


def test_a_run_starts_with_the_hour_of_its_first_state() -> None:
    assert make_run(90).began_in == "2024-01-01T01"
    assert parse_instant(f"{make_run(90).began_in}:00:00Z")
