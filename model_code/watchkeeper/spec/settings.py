"""What of a workload's file decides how values are judged, as fields: what each is, and the file with others.

Only the lines of what is changed are written anew: comments, order and form of the rest stay.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import annotated_types
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.spec.alerting import Alerts, Route
from watchkeeper.spec.anomaly import AnomalyWorkload
from watchkeeper.spec.detection import Threshold
from watchkeeper.spec.fields import duration_text
from watchkeeper.spec.incidents import Incidents
from watchkeeper.spec.problems import key_text
from watchkeeper.spec.rules import Allowed, IgnoreBelow
from watchkeeper.spec.source import Path
from watchkeeper.spec.telemetry import Measure

SettingKind = Literal["number", "whole", "choice", "duration"]
SettingValue = str | int | float | None
RULE: Path = ("threshold", "rule")


@dataclass(frozen=True)
class Setting:
    """One field."""

    key: str
    """Such as `measures[0].ignore_below.absolute`."""
    about: str
    """What it is of: `threshold`, `incidents`, `alerts`, the name of a measure, or of a route's channel."""
    name: str
    """Within `about`."""
    description: str
    kind: SettingKind
    value: SettingValue
    """As the file means it, whether it says so or not; None where it is left out."""
    optional: bool
    """Whether it may be left out."""
    choices: tuple[str, ...] = ()
    at_least: float | None = None
    at_most: float | None = None
    with_rule: str | None = None
    """Of the threshold: the rule that it belongs to."""


def settings_of(spec: AnomalyWorkload) -> list[Setting]:
    """Return the fields of a workload: its threshold, then its measures, incidents and alerts."""
    return [
        *_of_threshold(spec),
        *(
            setting
            for at, measure in enumerate(spec.measures)
            for setting in _of_measure(measure, ("measures", at))
        ),
        *_of_model(Incidents, spec.incidents, ("incidents",), "incidents", tuple(Incidents.model_fields)),
        *_of_model(Alerts, spec.alerts, ("alerts",), "alerts", ("throttle",)),
        *(
            setting
            for at, route in enumerate(spec.alerts.routes)
            for setting in _of_model(
                Route, route, ("alerts", "routes", at), f"route {route.channel}", ("severity_at_least",)
            )
        ),
    ]


def edited(text: str, changes: Mapping[str, SettingValue], known: list[Setting]) -> str:
    """Return a workload's file with other values of fields.

    Parameters
    ----------
    text
        YAML that `known` was read of.
    changes
        By the fields' keys; None leaves one out. With another rule, what only the rule before has goes.

    Raises
    ------
    InvalidInputError
        If there is no such field, or the file is written in a way that only a person can change (an alias).
    """
    paths = {setting.key: _path_of(setting.key) for setting in known}
    unknown = sorted(changes.keys() - paths.keys())
    if unknown:
        raise InvalidInputError(
            f"{', '.join(unknown)}: not a field of this workload; the fields are {', '.join(paths)}",
            reason="unknown_setting",
        )
    wanted = {paths[key]: value for key, value in changes.items()}
    rule = next((setting.value for setting in known if paths[setting.key] == RULE), None)
    if any(path[0] == RULE[0] and value is not None for path, value in wanted.items()):
        wanted.setdefault(RULE, rule)  # parameters without their rule would be nobody's
    if wanted.get(RULE, rule) != rule:
        others = {paths[each.key]: None for each in known if each.with_rule not in (None, wanted[RULE])}
        wanted = {**others, **wanted}
    # what belongs to one mapping comes together: the rule before its parameters
    for path, value in sorted(wanted.items(), key=lambda each: each[0] != RULE):
        text = _with(text, path, value)
    return text


def _of_threshold(spec: AnomalyWorkload) -> Iterator[Setting]:
    models = {_tag(model): model for model in typing.get_args(typing.get_args(Threshold)[0])}
    for rule, model in models.items():
        if rule == spec.threshold.rule:
            yield Setting(
                "threshold.rule", "threshold", "rule", _said(model.model_fields["rule"]), "choice", rule,
                False, tuple(each for each in models if each != "rarity" or spec.is_streaming),
            )  # fmt: skip
    for rule, model in models.items():
        if rule == "rarity" and not spec.is_streaming:
            continue
        its = spec.threshold if rule == spec.threshold.rule else None
        names = tuple(name for name in model.model_fields if name != "rule")
        yield from _of_model(model, its, ("threshold",), "threshold", names, with_rule=rule)


def _of_measure(measure: Measure, path: Path) -> Iterator[Setting]:
    of: dict[str, tuple[type[BaseModel], BaseModel | None]] = {
        "ignore_below": (IgnoreBelow, measure.ignore_below),
        "allowed": (Allowed, measure.allowed),
    }
    yield from _of_model(Measure, measure, path, measure.name, ("direction",))
    for name, (model, its) in of.items():
        yield from _of_model(model, its, (*path, name), measure.name, tuple(model.model_fields))


def _of_model(
    model: type[BaseModel],
    its: BaseModel | None,
    path: Path,
    about: str,
    names: tuple[str, ...],
    with_rule: str | None = None,
) -> Iterator[Setting]:
    for name in names:
        field = model.model_fields[name]
        kind, choices = _kind_of(field)
        value = getattr(its, name) if its is not None else _default(field)
        if isinstance(value, timedelta):
            value = duration_text(value)
        inside = path[-1] if path[-1] in ("ignore_below", "allowed") else None
        yield Setting(
            key=key_text((*path, name)),
            about=about,
            name=f"{inside}.{name}" if inside else name,
            description=_said(field),
            kind=kind,
            value=value if its is not None or with_rule is not None else None,
            optional=not field.is_required(),
            choices=choices,
            at_least=_limit(field, "ge", "gt"),
            at_most=_limit(field, "le", "lt"),
            with_rule=with_rule,
        )


def _default(field: FieldInfo) -> Any:
    return None if field.is_required() else field.get_default(call_default_factory=False)


def _said(field: FieldInfo) -> str:
    return " ".join((field.description or "").split())


def _tag(model: Any) -> str:
    tag: str = typing.get_args(model.model_fields["rule"].annotation)[0]
    return tag


def _kind_of(field: FieldInfo) -> tuple[SettingKind, tuple[str, ...]]:
    kind: Any = field.annotation
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        kind = next(each for each in typing.get_args(kind) if each is not type(None))
    if typing.get_origin(kind) is typing.Annotated:
        kind = typing.get_args(kind)[0]
    if typing.get_origin(kind) is typing.Literal:
        return "choice", typing.get_args(kind)
    if kind is timedelta:
        return "duration", ()
    return ("whole" if kind is int else "number"), ()


def _limit(field: FieldInfo, *names: str) -> float | None:
    for item in field.metadata:
        for name in names:
            if isinstance(item, annotated_types.BaseMetadata) and hasattr(item, name):
                return float(getattr(item, name))
    return None


def _path_of(key: str) -> Path:
    parts = key.replace("[", ".[").split(".")
    return tuple(int(part[1:-1]) if part.startswith("[") else part for part in parts)


def _with(text: str, path: Path, value: SettingValue) -> str:
    """Return YAML in which one value is another, or is not there.

    Raises
    ------
    InvalidInputError
        If what comes out would mean anything else beside it.
    """
    before = yaml.safe_load(text)
    wanted = _apart(before)
    _put(wanted, path, value)
    if wanted == before:
        return text
    changed = _written(text, path, value)
    try:
        found = yaml.safe_load(changed)
    except yaml.YAMLError:
        found = None
    if found != wanted:
        raise InvalidInputError(
            f"{key_text(path)}: the file is written in a way that fields cannot change; edit its YAML",
            reason="unknown_setting",
        )
    return changed


def _apart(document: Any) -> Any:
    """Copy a document so that what an alias repeats is there twice."""
    if isinstance(document, dict):
        return {key: _apart(value) for key, value in document.items()}
    return list(map(_apart, document)) if isinstance(document, list) else document


def _put(document: Any, path: Path, value: SettingValue) -> None:
    """Set a value of a parsed document, or take it out with the mappings that it leaves empty."""
    first, *rest = path
    if rest:
        if isinstance(document, dict) and document.get(first) is None:
            if value is None:
                return
            document[first] = {}
        _put(document[first], tuple(rest), value)
        if document[first] == {} and value is None:
            del document[first]
    elif value is None:
        document.pop(first, None)
    else:
        document[first] = value


def _written(text: str, path: Path, value: SettingValue) -> str:
    at: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    way: list[tuple[yaml.MappingNode, int]] = []
    for depth, part in enumerate(path):
        if isinstance(at, yaml.SequenceNode):
            at = at.value[int(part)]
            continue
        keys = [key.value for key, _ in at.value] if isinstance(at, yaml.MappingNode) else []
        if part not in keys:
            return _inserted(text, at, path[depth:], value)
        way.append((at, keys.index(part)))
        at = at.value[keys.index(part)][1]
        if isinstance(at, yaml.ScalarNode) and at.tag.endswith(":null") and depth < len(path) - 1:
            return _spliced(
                text, at.start_mark.index, at.end_mark.index, f" {_nested(path[depth + 1 :], value)}"
            )
    if value is None:
        return _removed(text, way)
    return _spliced(text, at.start_mark.index, at.end_mark.index, _flow(value))


def _inserted(text: str, mapping: yaml.MappingNode, path: Path, value: SettingValue) -> str:
    first, *rest = path
    entry = f"{first}: {_nested(tuple(rest), value) if rest else _flow(value)}"
    end = _end(text, mapping.value[-1][1]) if mapping.value else mapping.end_mark.index - 1
    if mapping.flow_style:
        return _spliced(text, end, end, f", {entry}" if mapping.value else entry)
    line_end = text.find("\n", end)
    line_end = len(text) if line_end < 0 else line_end
    indent = " " * mapping.value[0][0].start_mark.column
    return _spliced(text, line_end, line_end, f"\n{indent}{entry}")


def _removed(text: str, way: list[tuple[yaml.MappingNode, int]]) -> str:
    """Take the last entry of a way out, and each mapping around it that has no other."""
    mapping, index = way[-1]
    while len(mapping.value) == 1 and len(way) > 1:
        way.pop()
        mapping, index = way[-1]
    key, value = mapping.value[index]
    begin, end = key.start_mark.index, _end(text, value)
    if mapping.flow_style:
        if index + 1 < len(mapping.value):
            end = mapping.value[index + 1][0].start_mark.index
        elif index:
            begin = _end(text, mapping.value[index - 1][1])
        return _spliced(text, begin, end, "")
    line_end = text.find("\n", end)
    return _spliced(text, begin - key.start_mark.column, len(text) if line_end < 0 else line_end + 1, "")


def _nested(path: Path, value: SettingValue) -> str:
    inside = _flow(value)
    for part in reversed(path):
        inside = f"{{{part}: {inside}}}"
    return inside


def _flow(value: SettingValue) -> str:
    return yaml.safe_dump([value], default_flow_style=True, width=10_000).strip()[1:-1]


def _end(text: str, node: yaml.Node) -> int:
    """Return where the text of a node ends, without the lines that follow it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(text, last[1] if isinstance(last, tuple) else last)
    end: int = node.end_mark.index
    while end > node.start_mark.index and text[end - 1] in " \n":
        end -= 1
    return end


def _spliced(text: str, begin: int, end: int, by: str) -> str:
    return text[:begin] + by + text[end:]
