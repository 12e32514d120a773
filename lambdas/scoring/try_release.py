"""Before a streaming detector's release is published: the scoring loop's own code goes on from its pages.

Rows that could follow the history are scored as the next step would score them, by the bundle and on the
processor that will, and compared with what the run's own job said of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from lambdas.adapters import clients
from lambdas.adapters.object_store import ObjectStore, ObjectUri, S3ObjectStore
from lambdas.adapters.release_store import ReleaseStore, TableReleaseStore
from lambdas.adapters.run_documents import SmokeCase, read_smoke_case
from lambdas.runtime.workflow_payload import run_of
from lambdas.runtime.workflow_step import RUN_KEYS, RUNS_PREFIX, AwsCalls, StepEnvironment, step_handler
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.kinds import AnyRelease
from watchkeeper.lifecycle.release import Release, StreamModel, same_score
from watchkeeper.stream.page import Page
from watchkeeper.stream.page_format import from_bytes
from watchkeeper.stream.placement import bits_of
from watchkeeper.stream.warming import scores_of, shelf_of_name
from watchkeeper.telemetry.rows import Row, parse_rows


@dataclass(frozen=True, kw_only=True)
class TryReleaseEnvironment(StepEnvironment):
    """What `try_release` is told when it is deployed."""

    service: ClassVar[str] = "try_release"
    purpose: ClassVar[str] = "Goes on from the pages of a release, as the scoring loop will"
    calls: ClassVar[AwsCalls] = AwsCalls(reads=(RUN_KEYS,), lists=(RUNS_PREFIX,), series=("GetItem",))

    series_table: str


@dataclass(frozen=True)
class TryingEffects:
    """Everything outside of `try_release`."""

    objects: ObjectStore
    releases: ReleaseStore

    @classmethod
    def in_aws(cls, environment: TryReleaseEnvironment) -> TryingEffects:
        """Return the effects in AWS."""
        return cls(
            objects=S3ObjectStore(clients.s3()),
            releases=TableReleaseStore(clients.dynamodb(), environment.series_table),
        )


class ReleaseFailedError(ContractViolationError):
    """The scoring loop would not go on from the release's pages as the run has."""


def attempt(payload: dict[str, Any], effects: TryingEffects) -> dict[str, Any]:
    """Score the rows of the smoke test from the staged release's pages.

    Raises
    ------
    ReleaseFailedError
        If a row has no page, or another score than in the run.
    """
    run = run_of(payload)
    case = read_smoke_case(run, effects.objects)
    model = _model_of(effects.releases.of_run(run.workload, run.run_id), run.run_id)
    rows = list(parse_rows(case.rows))
    pages = ObjectUri.parse(model.pages)
    shelves = {shelf_of_name(key): key for key in effects.objects.keys_under(pages)}
    for shelf, places in _by_shelf(rows, list(shelves)).items():
        page = _page(ObjectUri(pages.bucket, shelves[shelf]), effects.objects)
        found = scores_of([rows[place] for place in places], page, model)
        _compare(case, places, found)
    return {"rows": len(rows)}


def _model_of(release: AnyRelease | None, run_id: str) -> StreamModel:
    if not isinstance(release, Release) or release.stream is None:
        raise ContractViolationError(f"run {run_id} has staged no release of a streaming detector")
    return release.stream


def _by_shelf(rows: Sequence[Row], shelves: Sequence[str]) -> dict[str, list[int]]:
    """Return the places of rows by the shelf that their series lies on."""
    found: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        path = bits_of(row.series or "")
        shelf = next((each for each in shelves if path.startswith(each)), None)
        if shelf is None:
            raise ReleaseFailedError(f"no page of the release has the series {row.series!r}")
        found.setdefault(shelf, []).append(place)
    return found


def _page(uri: ObjectUri, objects: ObjectStore) -> Page:
    content = objects.read(uri)
    if content is None:
        raise ReleaseFailedError(f"{uri} is gone")
    return from_bytes(content)


def _compare(case: SmokeCase, places: Sequence[int], found: Sequence[float]) -> None:
    for place, score in zip(places, found, strict=True):
        if not same_score(score, case.answers[place], case.tolerance):
            raise ReleaseFailedError(
                f"row {case.rows[place]!r} has {score}, in the run it had {case.answers[place]}; "
                f"the tolerance is {case.tolerance:g}"
            )


handle = step_handler(attempt, TryReleaseEnvironment, TryingEffects.in_aws)
