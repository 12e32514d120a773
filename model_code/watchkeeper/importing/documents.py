"""Files of foreign detectors: which documents are in them, and of which service each is.

A document is told by its keys, not by the file's name: what `aws … describe-…` prints, what an API answers,
a template.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.importing.templates import Template, TemplateLoader, is_template

MAX_BYTES = 4_194_304
"""Four times the largest template that CloudFormation takes."""
MAX_PARTS = 200_000
"""Keys and list items of a file, those that aliases repeat counted each time."""
MAX_DEPTH = 100
"""Of keys and lists in each other; whether a parser takes more depends on its stack."""
_TOO_DEEP = "is nested too deep for a template or an answer"

Kind = Literal[
    "template",
    "lookout_detector",
    "lookout_metric_set",
    "lookout_alert",
    "cloudwatch_alarm",
    "cloudwatch_detector",
    "opensearch_detector",
    "advisor_feed",
    "advisor_detection",
    "advisor_alerting",
    "advisor_hook",
]

_BY_KEYS: tuple[tuple[Kind, frozenset[str]], ...] = (
    ("lookout_metric_set", frozenset({"MetricSetName", "MetricList"})),
    ("lookout_detector", frozenset({"AnomalyDetectorName", "AnomalyDetectorConfig"})),
    ("lookout_alert", frozenset({"AlertArn", "AnomalyDetectorArn"})),
    ("opensearch_detector", frozenset({"time_field", "feature_attributes"})),
    ("advisor_feed", frozenset({"dataFeedName", "metrics"})),
    ("advisor_detection", frozenset({"metricId", "wholeMetricConfiguration"})),
    ("advisor_alerting", frozenset({"metricAlertingConfigurations"})),
    ("advisor_hook", frozenset({"hookType"})),
)
_WRAPPERS = ("anomaly_detector", "Alert", "_source")
"""Keys around one document."""
_LISTS: Mapping[str, Kind | None] = {
    "MetricAlarms": "cloudwatch_alarm",
    "AnomalyDetectors": "cloudwatch_detector",
    "AlertSummaryList": None,
    "value": None,
    "hits": None,
}
"""Keys around many documents, and what these are; None: each says it itself."""
_SUMMARIES = {
    "AnomalyDetectorSummaryList": "aws lookoutmetrics describe-anomaly-detector",
    "MetricSetSummaryList": "aws lookoutmetrics describe-metric-set",
    "dataFeedSummaries": "GET …/dataFeeds/ID",
}
"""Lists of names without settings, and what has these."""


@dataclass(frozen=True)
class Document:
    """One thing that a file says."""

    file: str
    kind: Kind
    content: Mapping[str, Any]
    template: Template | None = field(default=None, repr=False)

    @property
    def resolved(self) -> Template:
        """The template that it is."""
        if self.template is None:
            raise TypeError(f"{self.file} is no template")
        return self.template


def read_documents(path: Path, parameters: Mapping[str, str]) -> list[Document]:
    """Return what a file says.

    Parameters
    ----------
    parameters
        Values of a template's parameters.

    Raises
    ------
    InvalidInputError
        If it cannot be read, is neither JSON nor YAML, or is nothing that can be imported.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidInputError(f"{path}: cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise InvalidInputError(f"{path}: has {len(content):,} bytes, more than {MAX_BYTES:,}")
    try:
        text = content.decode("utf-8-sig")
        parsed = _parsed(text)
        _refuse_too_much(parsed)
        documents = list(_documents(str(path), parsed, parameters))
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{path}: is not UTF-8: {error.reason} at byte {error.start}") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InvalidInputError(f"{path}:{line}: neither JSON nor YAML: {error.problem}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise InvalidInputError(f"{path}: neither JSON nor YAML: {error}") from error
    except RecursionError as error:
        raise InvalidInputError(f"{path}: {_TOO_DEEP}") from error
    except InvalidInputError as error:
        raise InvalidInputError(f"{path}: {error}") from error
    return documents


def _parsed(text: str) -> Any:
    if text.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(text)
        except ValueError:
            pass  # YAML may begin so, too, and has the better message
    return yaml.load(text, TemplateLoader)  # noqa: S506  a safe loader with the tags of templates


def _refuse_too_much(parsed: Any) -> None:
    waiting, n_parts = [(parsed, 0)], 0
    while waiting:
        part, depth = waiting.pop()
        inside: Sequence[Any] = list(part.values()) if isinstance(part, dict) else part
        if isinstance(inside, list):
            n_parts += len(inside)
            if n_parts > MAX_PARTS:
                raise InvalidInputError(f"has more than {MAX_PARTS:,} keys and list items")
            if depth == MAX_DEPTH:
                raise InvalidInputError(_TOO_DEEP)
            waiting += ((each, depth + 1) for each in inside)


def _documents(file: str, parsed: Any, parameters: Mapping[str, str]) -> Iterator[Document]:
    if isinstance(parsed, list) and parsed:
        for each in parsed:
            yield from _documents(file, each, parameters)
        return
    if not isinstance(parsed, Mapping):
        raise InvalidInputError("is neither a template nor the answer of an API: it has no keys")
    if is_template(parsed):
        yield Document(file, "template", parsed, Template(parsed, parameters))
        return
    for wrapper in _WRAPPERS:
        if isinstance(parsed.get(wrapper), Mapping):
            yield from _documents(file, parsed[wrapper], parameters)
            return
    listed = {key: kind for key, kind in _LISTS.items() if key in parsed}
    if listed:
        for key, kind in listed.items():
            inside = parsed[key]["hits"] if isinstance(parsed[key], Mapping) else parsed[key]
            for each in inside:
                if kind is None:
                    yield from _documents(file, each, parameters)
                elif isinstance(each, Mapping):
                    yield Document(file, kind, each)
        return
    for kind, keys in _BY_KEYS:
        if keys <= set(parsed):
            yield Document(file, kind, parsed)
            return
    for key, command in _SUMMARIES.items():
        if key in parsed:
            raise InvalidInputError(f"{key} has names and no settings: give what `{command}` prints of each")
    shown = ", ".join(list(map(str, parsed))[:8]) or "no keys"
    raise InvalidInputError(
        "is nothing that import knows: a CloudFormation template, or what an API answers of Lookout for "
        "Metrics (describe-anomaly-detector, describe-metric-set, describe-alert, list-alerts), of "
        "CloudWatch (describe-alarms, describe-anomaly-detectors), of OpenSearch (a detector) or of Azure "
        f"Metrics Advisor (a data feed, a detection configuration); it has {shown}"
    )
