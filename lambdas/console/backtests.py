"""Backtests of a workload: its file as fields, what is asked for, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lambdas.backtesting.requests import BacktestRequest
from lambdas.console.documents.backtests import (
    BacktestDetail,
    BacktestItem,
    BacktestResult,
    SettingItem,
    SpecDraft,
)
from lambdas.console.effects import ConsoleEffects
from lambdas.http.problems import INVALID_REQUEST, Fault, ServiceProblemError
from lambdas.http.roles import Caller
from watchkeeper.backtest.reading import closing_of
from watchkeeper.core.layout import short_hash
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import format_instant
from watchkeeper.incidents.feedback import labels_of, moved_thresholds
from watchkeeper.lifecycle.run import is_run_id, run_id_of

if TYPE_CHECKING:
    from watchkeeper.spec import AnomalyWorkload

NOT_FOUND, NOT_HERE = "backtest_not_found", "not_judged_here"
LISTED = 20


def draft_of(
    plan: WorkloadPlan,
    text: str | None,
    settings: Mapping[str, str | int | float | None],
    effects: ConsoleEffects,
) -> SpecDraft:
    """Return a version of a workload's file with other values of fields.

    Raises
    ------
    ServiceProblemError
        If the file is not kept, or what comes out is no workload (`bad_workload_spec`).
    """
    from watchkeeper.spec.changes import changes
    from watchkeeper.spec.settings import edited, settings_of

    text = _deployed_text(plan, effects) if text is None else text
    spec = _spec_of(plan, text)
    known = settings_of(spec)
    if settings:
        text = edited(text, settings, known)
        spec = _spec_of(plan, text)
        known = settings_of(spec)
    return SpecDraft(
        workload=plan.workload,
        text=text,
        settings=[SettingItem(**{**asdict(each), "choices": list(each.choices)}) for each in known],
        changes=list(map(str, changes(plan, spec.plan()))),
    )


def asked(plan: WorkloadPlan, text: str, days: int, caller: Caller, effects: ConsoleEffects) -> BacktestItem:
    """Ask for a backtest of an edited file, and return it.

    Raises
    ------
    ServiceProblemError
        If the text is no such workload, or differs in what decides which intervals there are.
    InvalidInputError
        If a version's scores come from an endpoint.
    """
    from watchkeeper.spec.changes import changes

    wanted = _spec_of(plan, text).plan()
    _check(plan, wanted)
    now, release = effects.now(), effects.live_release(plan.workload)
    verdicts = effects.incidents.verdicts(plan.workload)
    request = BacktestRequest(
        workload=plan.workload,
        backtest_id=run_id_of(f"{caller.user}|{days}|{short_hash(text)}|{now.isoformat()}", now),
        who=caller.user,
        asked_at=format_instant(now),
        days=days,
        text=text,
        before=plan.to_json(),
        after=wanted.to_json(),
        changes=tuple(dict.fromkeys(each.key for each in changes(plan, wanted))),
        run_id=None if release is None else release.run_id,
        said=json.dumps(labels_of(verdicts, effects.incidents.labels(plan.workload))),
        moved=moved_thresholds(verdicts),
    )
    effects.backtests.ask(request)
    effects.send_backtest(plan.workload, request.backtest_id)
    return _item(request, effects)


def listed(plan: WorkloadPlan, effects: ConsoleEffects) -> list[BacktestItem]:
    """Return the latest backtests of a workload, the newest first."""
    store = effects.backtests
    requests = effects.for_each(
        lambda one: store.request(plan.workload, one), store.ids(plan.workload)[:LISTED]
    )
    return effects.for_each(
        lambda request: _item(request, effects), [each for each in requests if each is not None]
    )


def detail_of(
    plan: WorkloadPlan, backtest_id: str, caller: Caller, effects: ConsoleEffects
) -> BacktestDetail:
    """Return one backtest with what came of it.

    Raises
    ------
    ServiceProblemError
        If there is none, or not any more.
    """
    request = effects.backtests.request(plan.workload, backtest_id) if is_run_id(backtest_id) else None
    if request is None:
        raise ServiceProblemError(
            NOT_FOUND,
            f"workload {plan.workload} has no backtest {backtest_id[:64]!r}; they are kept for a month",
        )
    item = _item(request, effects)
    found = effects.backtests.result(plan.workload, backtest_id) if item.status == "succeeded" else None
    return BacktestDetail(
        **item.model_dump(),
        workload=plan.workload,
        text=request.text if caller.role != "viewer" else None,
        result=None if found is None else _result(json.loads(found)),
    )


def _deployed_text(plan: WorkloadPlan, effects: ConsoleEffects) -> str:
    text = effects.spec_text(plan.workload)
    if text is None:
        raise ServiceProblemError(
            INVALID_REQUEST,
            f"the file of {plan.workload} was not kept when it was deployed: paste workloads/"
            f"{plan.workload}.yaml as it is where it was deployed from",
        )
    return text


def _spec_of(plan: WorkloadPlan, text: str) -> AnomalyWorkload:
    from watchkeeper.spec import AnomalyWorkload, WorkloadSpecError, load_workload

    name = f"{plan.workload}.yaml"
    try:
        spec = load_workload(name, text)
    except WorkloadSpecError as error:
        faults = [
            Fault(
                pointer=f"line {each.line}{f', {each.key}' if each.key else ''}",
                detail=": ".join(filter(None, [each.value, each.message])),
            )
            for each in error.problems
        ]
        raise ServiceProblemError(error.reason, f"{name} is no workload.", faults) from error
    if not isinstance(spec, AnomalyWorkload):
        raise ServiceProblemError(
            NOT_HERE, f"{name} is of kind {spec.kind}, and {plan.workload} watches telemetry (kind: anomaly)"
        )
    return spec


def _check(deployed: WorkloadPlan, wanted: WorkloadPlan) -> None:
    for name, plan in (("as deployed", deployed), ("as edited", wanted)):
        if not plan.detector.is_streaming:
            raise ServiceProblemError(
                NOT_HERE,
                f"{name}, {plan.workload} is scored at an endpoint (detector {plan.detector.algorithm}), and "
                "a backtest asks none: compare versions with `detector: {algorithm: watchkeeper}`",
            )
    before, after = closing_of(deployed), closing_of(wanted)
    other = [key for key, value in before.items() if value != after[key]]
    if other:
        raise ServiceProblemError(
            NOT_HERE,
            f"{', '.join(other)}: with another value there are other intervals than those that are kept; "
            f"compare files by `watchkeeper backtest --compare OLD.yaml {deployed.workload} --history …`",
        )


def _item(request: BacktestRequest, effects: ConsoleEffects) -> BacktestItem:
    state = effects.backtests.state(request)
    return BacktestItem(
        backtest_id=request.backtest_id,
        who=request.who,
        asked_at=request.asked_at,
        days=request.days,
        status=state.status,
        stage=state.stage if state.status == "running" else None,
        since=state.at,
        why=state.why,
        changes=list(request.changes),
    )


def _result(document: dict[str, Any]) -> BacktestResult:
    judged, history, incidents = document["judged"], document["history"], document["incidents"]
    sides = {
        side: {
            name: document[side].get(name)
            for name in (
                *("anomalies", "incidents", "alerts", "anomalies_a_week", "incidents_a_week"),
                *("alerts_a_week", "precision", "recall", "windows", "windows_found"),
            )
        }
        for side in ("before", "after")
    }
    marks = {
        side: [dict(zip(("opened", "last", "severity", "fate"), mark, strict=True)) for mark in found]
        for side, found in document["marks"].items()
    }
    return BacktestResult.model_validate(
        {
            "judged": {"start": judged["from"], "end": judged["to"], "weeks": judged["weeks"]},
            "series": history["series"],
            "intervals": history["intervals"],
            "changes": document["changes"],
            **sides,
            "incidents": incidents,
            "marks": marks,
            "windows": document["windows"],
            "max_alerts_per_week": document["max_alerts_per_week"],
            "notes": document["notes"],
        }
    )
