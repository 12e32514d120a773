"""What the scores of anomalies are made of, found before the lines that hold them are written.

An anomaly is never held up: where its score cannot be explained, its event says why. Intervals that are no
anomalies cost nothing.
"""

from __future__ import annotations

import collections
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from lambdas.adapters.endpoint import Endpoint
from lambdas.adapters.object_store import ObjectStore, ObjectUri
from watchkeeper.core.errors import ContractViolationError, WatchkeeperError
from watchkeeper.detectors.forest.surrogate import SurrogateForest
from watchkeeper.features.contributions import (
    NO_EXPLAINER,
    ExplainedScore,
    Explainer,
    Explanation,
    unexplained,
)
from watchkeeper.lifecycle.release import same_score
from watchkeeper.stream.findings import Finding, Reasons, also_anomalous, explained_by_rule
from watchkeeper.telemetry.rows import format_row

MAX_EXPLAINED = 500
"""Of one object: a forest takes milliseconds an anomaly, a detector's replay up to 20."""
MAX_EXPLAINED_ROWS = 50
"""Of one request to a detector."""

_MAX_FORESTS = 8


@dataclass
class Explainers:
    """Explains scores, each by what its release says."""

    objects: ObjectStore
    endpoint: Endpoint
    _forests: dict[str, SurrogateForest] = field(default_factory=dict)

    def reasons(self, findings: Sequence[Finding]) -> dict[tuple[str, int], Reasons]:
        """Return the reasons of each finding by its key.

        Of more than `MAX_EXPLAINED` findings, those that are furthest above their threshold are explained.
        Series that the model has not seen, and values that are not allowed, were judged by a rule, which
        needs no explaining.
        """
        explained = {found.key: explained_by_rule(found) for found in findings if found.by_rule}
        of_models = [found for found in findings if found.key not in explained]
        urgent = sorted(of_models, key=lambda found: found.threshold - found.score)
        chosen, rest = urgent[:MAX_EXPLAINED], urgent[MAX_EXPLAINED:]
        explained.update((found.key, self._by_forest(found)) for found in chosen if not _by_detector(found))
        explained.update(self._by_detectors([found for found in chosen if _by_detector(found)]))
        too_many = unexplained(f"more than {MAX_EXPLAINED} anomalies at once")
        explained.update((found.key, too_many) for found in rest)
        also = also_anomalous(findings)
        return {key: Reasons(score, also[key]) for key, score in explained.items()}

    def _by_forest(self, found: Finding) -> ExplainedScore:
        explainer = _explainer(found)
        if explainer.method != "forest" or explainer.uri is None:
            return unexplained("the model was trained by a release that did not explain")
        try:
            row = found.row.row(found.series)
            return self._forest(explainer.uri).explain(row, found.score, explainer.rank_agreement)
        except WatchkeeperError as error:
            return unexplained(str(error))

    def _forest(self, uri: str) -> SurrogateForest:
        if uri not in self._forests:
            content = self.objects.read(ObjectUri.parse(uri))
            if content is None:
                raise ContractViolationError(f"{uri} does not exist")
            while len(self._forests) >= _MAX_FORESTS:
                del self._forests[next(iter(self._forests))]
            self._forests[uri] = SurrogateForest.from_bytes(content)
        return self._forests[uri]

    def _by_detectors(self, findings: Iterable[Finding]) -> dict[tuple[str, int], ExplainedScore]:
        by_endpoint: dict[str, list[Finding]] = collections.defaultdict(list)
        for found in findings:
            by_endpoint[found.release.endpoint if found.release else ""].append(found)
        explained: dict[tuple[str, int], ExplainedScore] = {}
        for endpoint, group in by_endpoint.items():
            for first in range(0, len(group), MAX_EXPLAINED_ROWS):
                part = group[first : first + MAX_EXPLAINED_ROWS]
                scores = self._ask(endpoint, part)
                explained.update((found.key, score) for found, score in zip(part, scores, strict=True))
        return explained

    def _ask(self, endpoint: str, findings: Sequence[Finding]) -> list[ExplainedScore]:
        rows = [format_row(found.row.row(found.series)) for found in findings]
        try:
            answers = self.endpoint.explain(endpoint, rows)
        except WatchkeeperError as error:
            return [unexplained(str(error))] * len(findings)
        return [
            ExplainedScore(answer.contributions, Explanation("detector"))
            if same_score(answer.score, found.score)
            else unexplained("another model answered than the one that gave the score")
            for found, answer in zip(findings, answers, strict=True)
        ]


def _by_detector(found: Finding) -> bool:
    return _explainer(found).method == "detector"


def _explainer(found: Finding) -> Explainer:
    return NO_EXPLAINER if found.release is None else found.release.explainer
