"""Applying an object of telemetry to the shelves of its workload.

Of every shelf: read the page, make the step, write the page where nobody has since, then what came out of it.
A page is written before its outputs and holds them until they are known to be written, so a crash at any
point is healed by whoever reads the page next. A shelf whose page was changed meanwhile is done anew.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

from lambdas.adapters.object_store import ObjectUri
from lambdas.runtime.retrying import MAX_ATTEMPTS
from lambdas.scoring.earlier_states import settled
from lambdas.scoring.effects import ScoringEffects
from lambdas.scoring.pages import NEVER_DUE, StoredPage
from lambdas.scoring.probing import ProbedEndpoint
from lambdas.scoring.requests import packed, score_request
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.anomalies.quality import QualityEvent
from watchkeeper.core import layout
from watchkeeper.core.errors import ContractViolationError, UnavailableError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.lifecycle.release import Release
from watchkeeper.stream.asking import Asked, asked
from watchkeeper.stream.intake import TakenIn, take_in
from watchkeeper.stream.judging import Answer, Judged, unasked
from watchkeeper.stream.object_lines import Refusal
from watchkeeper.stream.page import Output, Page, new_page, overflows, split, tombstone
from watchkeeper.stream.placement import ROOT, bits_of, children
from watchkeeper.stream.readings import Readings, Source
from watchkeeper.stream.silence import with_silence
from watchkeeper.stream.step import Outcome, Tally, concluded, late, scored_here, written
from watchkeeper.stream.takeover import not_taken_before, taken_over
from watchkeeper.stream.tick_message import Tick
from watchkeeper.stream.ticking import due, ticked

SHELVES_AT_ONCE = 4
"""A page with what a streaming detector has learned of 1,024 series has 11 MB, and is held several times."""

Failure = UnavailableError | ContractViolationError


@dataclass(frozen=True)
class Applied:
    """What became of an object's readings."""

    tally: Tally = field(default_factory=Tally)
    late_lines: int = 0
    dropped: int = 0
    """Intervals of the length that the plan had before."""
    failures: tuple[Failure, ...] = ()
    """What could not be scored waits on its page."""

    def __add__(self, other: Applied) -> Applied:
        return Applied(
            self.tally + other.tally,
            self.late_lines + other.late_lines,
            self.dropped + other.dropped,
            self.failures + other.failures,
        )


@dataclass(frozen=True)
class _Part:
    """Series of the object, by position, that go to a shelf or to those that it has split into.

    A tick has none, and goes to all of them; of an object without any reading, what is refused is counted on
    the first.
    """

    shelf: str
    positions: tuple[int, ...]
    attempt: int = 0

    def of_children(self, paths: Sequence[str], *, is_tick: bool) -> list[_Part]:
        parts = [
            _Part(shelf, tuple(at for at in self.positions if paths[at].startswith(shelf)))
            for shelf in children(self.shelf)
        ]
        if not self.positions:
            return parts if is_tick else parts[:1]
        return [part for part in parts if part.positions]


@dataclass
class _Leaf:
    """A shelf on its way through the step."""

    part: _Part
    stored: StoredPage
    readings: Readings
    refusals: list[Refusal]
    """Of lines that were late when another release took the object in."""
    taken: TakenIn
    source: Source
    """What outputs are named for."""
    release: Release | None
    """What judges it: the live one, or the one that a streaming page stays with for now."""
    failures: tuple[Failure, ...] = ()
    judged: Judged | None = None
    """None where it could not be scored."""
    asked: Asked | None = None


@dataclass
class Delivery:
    """One delivery of an object of telemetry, or of a tick.

    Parameters
    ----------
    readings, source
        Of the object.
    tick
        Set of a tick, which has no readings.
    again
        Whether a tick was delivered before: what is said beside a page may be of its own first delivery.
    """

    readings: Readings
    source: Source
    plan: WorkloadPlan
    effects: ScoringEffects
    tick: Tick | None = None
    again: bool = False
    _again: list[_Part] = field(default_factory=list)
    _releases: Sequence[Release] = ()
    """The live one first; none where none is live."""

    @classmethod
    def of_tick(cls, tick: Tick, plan: WorkloadPlan, effects: ScoringEffects, *, again: bool) -> Delivery:
        """Return the delivery of a tick."""
        return cls(Readings.none(), tick.source, plan, effects, tick, again)

    def apply(self) -> Applied:
        """Take the readings in and score what they close, shelf by shelf.

        Raises
        ------
        UnavailableError
            If a page was changed by others each time, or something does not answer.
        """
        self._releases = self.effects.releases.candidates(self.plan.workload)
        paths = [bits_of(series) for series in self.readings.series]
        whole = self.readings.whole
        comes = paths or self.tick or (whole is not None and whole.refused)
        waiting = [_Part(ROOT, tuple(range(len(paths))))] if comes else []
        applied = Applied()
        while waiting:
            batch, waiting = waiting[:SHELVES_AT_ONCE], waiting[SHELVES_AT_ONCE:]
            leaves = []
            for part, opened in zip(batch, self.effects.for_each(self._opened, batch), strict=True):
                if opened is None:
                    waiting += part.of_children(paths, is_tick=self.tick is not None)
                else:
                    leaves += opened
            self._score(leaves)
            for leaf in leaves:
                if leaf.taken.silent:
                    judged = leaf.judged or Judged(leaf.taken.page, [], {})
                    leaf.judged = with_silence(judged, leaf.taken, leaf.release, self.plan)
            for found in self.effects.for_each(self._committed, self._concluded(leaves)):
                applied += found
            waiting += self._again
            self._again.clear()
        return applied

    def _opened(self, part: _Part) -> list[_Leaf] | None:
        """Return a shelf with the readings taken in, or none where nothing is to be done; None if it has
        split."""
        workload = self.plan.workload
        if (workload, part.shelf) in self.effects.splits:
            return None
        if self.tick is not None:
            return self._ticked(part, self.tick)
        readings = self.readings.of_series(part.positions)
        for attempt in range(MAX_ATTEMPTS):
            stored = self.effects.pages.load(workload, part.shelf)
            if stored is None:
                stored = StoredPage(new_page(workload, part.shelf, self.plan.interval_seconds), None)
            stored = dataclasses.replace(stored, page=self._healed(stored.page))
            if stored.page.condition == "open":
                if not overflows(stored.page, readings.series, self.effects.shelf_series):
                    return [self._taken(part, stored, readings)]
                frozen = dataclasses.replace(stored.page, condition="splitting")
                tag = self.effects.pages.save(frozen, stored.tag)
                if tag is None:
                    self.effects.pause(attempt)
                    continue
                stored = StoredPage(frozen, tag)
            if stored.page.condition == "splitting":
                self._finish_split(stored)
            self.effects.splits.add(workload, part.shelf)
            return None
        raise changed_each_time(part.shelf, workload)

    def _ticked(self, part: _Part, tick: Tick) -> list[_Leaf] | None:
        workload = self.plan.workload
        span = None if self.again else self.effects.pages.due(workload, part.shelf)
        if span is not None and not span[0] <= tick.seconds <= span[1]:
            return []
        stored = self.effects.pages.load(workload, part.shelf)
        if stored is None:
            return []
        stored = dataclasses.replace(stored, page=self._healed(stored.page))
        if stored.page.condition == "splitting":
            self._finish_split(stored)
        if stored.page.condition != "open":
            self.effects.splits.add(workload, part.shelf)
            return None
        page, release = self._adopted(stored.page, ())
        taken = ticked(page, tick, self.plan)
        if taken is None and not len(page.waiting):
            return []
        return [_Leaf(part, stored, self.readings, [], taken or TakenIn(page), self.source, release)]

    def _finish_split(self, frozen: StoredPage) -> None:
        """Write the children of a page, unless somebody has, and then what is left of it."""
        for child in split(frozen.page):
            self.effects.pages.save(child, None)
        self.effects.pages.save(tombstone(frozen.page), frozen.tag)

    def _healed(self, page: Page) -> Page:
        """Write what a page says that is not written yet, and return the page without it."""
        for output in page.pending:
            uri = ObjectUri(self.effects.bucket, output.scores_key)
            if not (output.scores and self.effects.objects.exists(uri)):
                write_output(output, output.events(), output.quality_events(), self.effects)
        return written(page, page.pending) if page.pending else page

    def _taken(self, part: _Part, stored: StoredPage, readings: Readings) -> _Leaf:
        page, refusals = stored.page, []
        new = sorted(set(readings.series).difference(page.series))
        states = self.effects.earlier.load(self.plan.workload, new) if new else {}
        if states:
            publish = self.effects.publish
            states = {
                name: settled(state, self.plan, self.effects.objects, self.effects.bucket, publish)
                for name, state in states.items()
            }
            found = readings
            readings, lines = not_taken_before(readings, self.source, states)
            refusals = late(lines, found)
            page = taken_over(page, states)
        page, release = self._adopted(page, readings.series)
        try:
            taken = take_in(page, readings, self.source, self.plan)
        except UnavailableError as failure:
            # too much waits: that is scored first, and the object comes again
            before = dataclasses.replace(self.source, object_id=f"{self.source.object_id}#before")
            taken = take_in(page, Readings.none(), before, self.plan)
            return _Leaf(part, stored, readings, refusals, taken, before, release, (failure,))
        return _Leaf(part, stored, readings, refusals, taken, self.source, release)

    def _adopted(self, page: Page, names: Sequence[str]) -> tuple[Page, Release | None]:
        """Return a page as the live release wants it, and the release that judges what it closes."""
        if not self._releases:
            return page, None
        if self._releases[0].stream is None:
            return page, self._releases[0]
        return self.effects.adopting.adopt(page, names, self._releases, self.plan)

    def _score(self, leaves: Sequence[_Leaf]) -> None:
        """Have the intervals that wait on these shelves scored; requests hold rows of all of them."""
        for leaf in leaves:
            if leaf.release is None or leaf.release.stream is not None:
                leaf.judged = scored_here(leaf.taken.page, leaf.release, self.plan)
            else:
                leaf.asked = asked(leaf.taken.page, self.plan)
        live = self._releases[0] if self._releases else None
        if live is None or live.stream is not None:
            return
        everything = [leaf.asked for leaf in leaves if leaf.asked is not None]
        answers, failures = self._answers(
            [row.text for one in everything for row in one.rows],
            [row.series for one in everything for row in one.rows],
            live,
        )
        position = 0
        for leaf in leaves:
            if leaf.asked is None:
                continue
            of_leaf = answers[position : position + len(leaf.asked.rows)]
            position += len(of_leaf)
            known = [answer for answer in of_leaf if answer is not None]
            if len(known) == len(of_leaf):
                leaf.judged = leaf.asked.judged(known, self.plan)
            else:
                leaf.failures += failures

    def _answers(
        self, rows: Sequence[str], series: Sequence[str], live: Release
    ) -> tuple[list[Answer | None], tuple[Failure, ...]]:
        """Return the endpoint's answer to each row, and why there is none to some."""
        of_series = {name: unasked(name, live) for name in set(series)}
        answers: list[Answer | None] = [of_series[name] for name in series]
        places = [place for place, answer in enumerate(answers) if answer is None]
        endpoint = ProbedEndpoint(self.plan.workload, self.effects.endpoint, self.effects.releases)
        failures: list[Failure] = []

        def score(request: list[str]) -> list[Answer | None]:
            try:
                return [*score_request(request, endpoint)]
            except (UnavailableError, ContractViolationError) as failure:
                failures.append(failure)
                return [None] * len(request)

        found = self.effects.for_each(score, packed(rows[place] for place in places))
        for place, answer in zip(places, itertools.chain.from_iterable(found), strict=True):
            answers[place] = answer
        return answers, tuple(failures)

    def _concluded(self, leaves: Sequence[_Leaf]) -> list[tuple[_Leaf, Outcome]]:
        """Return what is to be written of each shelf that has changed."""
        asked_for = [leaf.judged for leaf in leaves if leaf.asked is not None and leaf.judged is not None]
        reasons = self.effects.explainers.reasons(
            [
                found
                for judged in asked_for
                for found in judged.findings.values()
                if found.key not in judged.reasons
            ]
        )
        outcomes = []
        for leaf in leaves:
            refusals = [*leaf.refusals, *late(leaf.taken.late, leaf.readings)]
            judged = leaf.judged or Judged(leaf.taken.page, [], {})
            outcome = Outcome(leaf.stored.page)
            if judged.lines or refusals or leaf.taken.page is not leaf.stored.page:
                said = {**reasons, **judged.reasons}
                outcome = concluded(judged, said, leaf.source, self.plan, refusals)
            outcomes.append((leaf, outcome))
        return outcomes

    def _committed(self, item: tuple[_Leaf, Outcome]) -> Applied:
        """Write a page and then its output."""
        leaf, outcome = item
        part = leaf.part
        if outcome.page is not leaf.stored.page:
            span = due(outcome.page, self.plan) or NEVER_DUE
            if self.effects.pages.save(outcome.page, leaf.stored.tag, span) is None:
                if part.attempt + 1 == MAX_ATTEMPTS:
                    raise changed_each_time(part.shelf, self.plan.workload)
                self.effects.pause(part.attempt)
                self._again.append(dataclasses.replace(part, attempt=part.attempt + 1))
                return Applied()
            if outcome.output is not None:
                write_output(outcome.output, outcome.events, outcome.told, self.effects)
        if len(outcome.page.waiting) and not leaf.failures:
            self._again.append(dataclasses.replace(part, attempt=0))
        return Applied(
            outcome.tally, len(leaf.refusals) + len(leaf.taken.late), leaf.taken.dropped, leaf.failures
        )


def write_output(
    output: Output, events: Sequence[AnomalyEvent], told: Sequence[QualityEvent], effects: ScoringEffects
) -> None:
    """Write what a step says; the object that shows that all of it is written comes last."""
    effects.publish(events)
    if told:
        effects.quality.put(told)
    if output.quarantine:
        effects.objects.write(ObjectUri(effects.bucket, output.quarantine_key), output.quarantine)
    if output.scores:
        effects.objects.write_once(ObjectUri(effects.bucket, output.scores_key), output.scores)


def changed_each_time(shelf: str, workload: str) -> UnavailableError:
    """Return the error of a page that cannot be written."""
    return UnavailableError(
        f"shelf {layout.shelf_name(shelf)} of {workload} was changed {MAX_ATTEMPTS} times "
        "while it was to be written"
    )
