"""What becomes of a running workload when its plan changes: what holds at once, what a training is needed
for, and what stays."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from watchkeeper.core.plan import MeasurePlan, WorkloadPlan
from watchkeeper.kinds import AnyPlan

_AT_ONCE = "holds within a minute of the deployment; the model in service stays"
_AT_TRAINING = "holds from the next training on; until then the model in service judges as before"
_LATER = "the series begin anew with the next object, and are judged by themselves until trained"

_EFFECTS: dict[str, tuple[str, bool]] = {
    "timestamp.field": (_AT_ONCE, False),
    "timestamp.format": (_AT_ONCE, False),
    "timestamp.timezone": (
        "where times carry no offset, what is open or closed moves to when it was by the new zone, and no "
        "reading is lost; scores that "
        "are written stay under their old times; the hours that the detector knows are off until it has "
        "seen some weeks of the new ones",
        True,
    ),
    "dimensions": (f"every series has another key: what is open is scored, {_LATER}", True),
    "interval_seconds": (f"what is open is dropped, what waits gets no score, {_LATER}", True),
    "exclude": ("excluded series end: what is open of them is dropped; the others go on", False),
    "where.where": ("series that are not kept end; those that are kept from now on begin", False),
    "history_seconds": (_AT_TRAINING, True),
    "dialect": (_AT_TRAINING, False),
    "max_refused_share": (_AT_TRAINING, False),
    "features": (_AT_TRAINING, True),
    "detector": (_AT_TRAINING, True),
    "threshold": (_AT_TRAINING, True),
    "split": (_AT_TRAINING, True),
    "feedback_labels": (_AT_TRAINING, True),
    "gate": (_AT_TRAINING, False),
}
"""Of each part of a plan, what its change does, and whether it wants a training; all others hold at once."""
_KEYS = {
    "timestamp": "source.timestamp",
    "where.where": "source.where",
    "interval_seconds": "interval",
    "lateness_seconds": "lateness",
    "record_id_field": "source.record_id",
    "delivery_seconds": "freshness",
    "history_seconds": "history.window",
    "dialect": "history",
    "max_refused_share": "history.max_refused_share",
    "split": "history.split",
    "feedback_labels": "history.feedback",
    "quality.clock_seconds": "quality.clock_off",
    "alerts.mutes": "mute",
    "alerts.throttle_seconds": "alerts.throttle",
    "alerts.link_seconds": "alerts.answer_links",
}
"""What a spec calls what a plan calls otherwise."""
_UNTOLD = {"version", "workload", "kind"}


@dataclass(frozen=True)
class Change:
    """One difference between two plans of a workload."""

    key: str
    """As the workload file names it."""
    before: Any
    after: Any
    effect: str
    trains: bool
    """Whether it has its whole effect only after a training."""

    def __str__(self) -> str:
        return f"{self.key}: {_shown(self.before)} → {_shown(self.after)}: {self.effect}"


def changes(before: AnyPlan, after: AnyPlan) -> list[Change]:
    """Return what differs between the plan that is deployed and another one of the same workload.

    Parameters
    ----------
    before, after
        Of the same kind; plans of different kinds are one change.
    """
    if type(before) is not type(after):
        effect = "the workload becomes another kind: destroy it, and deploy and train it anew"
        return [Change("kind", _kind(before), _kind(after), effect, True)]
    found: list[Change] = []
    for name, old, new in _differences(before, after, ""):
        if name == "measures":
            found += _of_measures(old, new, streaming=after.detector.is_streaming)  # type: ignore[union-attr]
            continue
        part = name.partition(".")[0]
        default = (_AT_ONCE, False) if isinstance(after, WorkloadPlan) else (_AT_TRAINING, True)
        effect, trains = _EFFECTS.get(name) or _EFFECTS.get(part) or default
        key = _KEYS.get(name) or name.replace(part, _KEYS.get(part, part), 1)
        found.append(Change(key, old, new, effect, trains))
    return found


def summary(found: list[Change]) -> str:
    """Say in a sentence what is to be done after these changes are deployed."""
    if not found:
        return "the deployed plan is the file's: nothing changes"
    keys = list(dict.fromkeys(change.key for change in found if change.trains))
    if not keys:
        return "no training is needed: the model in service and all that was learned stay"
    return f"train after the deployment, for {', '.join(keys)}; until then the model in service goes on"


def _differences(before: Any, after: Any, place: str) -> Iterator[tuple[str, Any, Any]]:
    for field in dataclasses.fields(before):
        old, new = getattr(before, field.name), getattr(after, field.name)
        if old == new or field.name in _UNTOLD:
            continue
        name = f"{place}{field.name}"
        if dataclasses.is_dataclass(old) and type(old) is type(new):
            yield from _differences(old, new, f"{name}.")
        else:
            yield name, old, new


def _of_measures(
    before: tuple[MeasurePlan, ...], after: tuple[MeasurePlan, ...], *, streaming: bool
) -> Iterator[Change]:
    old, new = ({one.name: one for one in measures} for measures in (before, after))
    if list(old) != list(new) and old == new:
        return  # another order means nothing
    for name in [name for name in old if name not in new]:
        effect = "its series end: what is open of them is dropped; the other measures go on with their model"
        yield Change(f"measures[{name}]", old[name], None, effect, False)
    for name in [name for name in new if name not in old]:
        gone = (one for one in old.values() if one.field == new[name].field and one.name not in new)
        known = next(gone, None)
        renamed = f" (what {known.name} was: its scores stay under that name)" if known else ""
        effect = (
            f"its series begin with the next reading{renamed} and learn from it on"
            if streaming
            else f"its intervals are kept without a score{renamed} until a model knows the measure"
        )
        yield Change(f"measures[{name}]", None, new[name], effect, True)
    for name in [name for name in new if name in old and old[name] != new[name]]:
        same_numbers = dataclasses.replace(old[name], rules=new[name].rules) == new[name]
        effect = "its numbers mean something else from the deployment on; the model knows the old ones"
        if same_numbers:
            effect = _AT_ONCE
        yield Change(f"measures[{name}]", old[name], new[name], effect, not same_numbers)


def _kind(plan: AnyPlan) -> str:
    return str(getattr(plan, "kind", "anomaly"))


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        shown = {
            field.name: getattr(value, field.name)
            for field in dataclasses.fields(value)
            if getattr(value, field.name) not in (None, field.default)
        }
        return ", ".join(f"{name} {_shown(each)}" for name, each in shown.items())
    if isinstance(value, tuple | list):
        return "[" + "; ".join(map(_shown, value)) + "]"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_shown(each)}" for name, each in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)
