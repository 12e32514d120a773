"""A comparison as a table in the terminal, and as Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from watchkeeper.backtest.comparison import Pair
from watchkeeper.backtest.document import Comparison
from watchkeeper.core.severity import THRESHOLD_SEVERITY
from watchkeeper.incidents.incident import Incident

LISTED = 20
"""Incidents of each list in the terminal and in Markdown; JSON has all."""
_NAMES = {
    "anomalies_a_week": "anomalies a week",
    "incidents_a_week": "incidents a week",
    "alerts_a_week": "alerts a week",
    "precision": "precision (incidents in a labelled window)",
    "recall": "recall (labelled windows found)",
    "month_usd": "USD a month",
    "scoring_seconds": "seconds to score",
    "judging_seconds": "seconds to judge",
}
_HEADINGS = {"appears": "Appear", "goes": "Go", "changed": "Change"}


def figures_table(found: Comparison) -> Table:
    """Lay out the figures of both versions beside each other."""
    before, after = found.before, found.after
    names = (before.outcome.version.name, after.outcome.version.name)
    table = Table("", *names, "difference", box=None)
    for column in table.columns[1:]:
        column.justify, column.overflow = "right", "fold"
    for name, old, new, difference in rows(found):
        table.add_row(name, old, new, difference)
    return table


def rows(found: Comparison) -> list[tuple[str, str, str, str]]:
    """Return name, figure of each version and difference; what neither knows is left out."""
    before, after = found.before.figures, found.after.figures
    shown = []
    for name, title in _NAMES.items():
        old, new = before[name], after[name]
        if old is None and new is None:
            continue
        both = old is not None and new is not None
        difference = f"{new - old:+.2f}" if old is not None and new is not None else ""
        if name == "scoring_seconds":
            difference = "the same scores" if both and not new else ""
        shown.append((title, _figure(old), _figure(new), "" if name == "judging_seconds" else difference))
    return shown


def lines(found: Comparison) -> list[str]:
    """Return what is said below the table: which incidents appear, go and change."""
    said = [summary(found)]
    for fate, heading in _HEADINGS.items():
        pairs = found.of(fate)
        if pairs:
            said += ["", f"{heading}:", *(f"  {_line(pair)}" for pair in pairs[:LISTED])]
            if len(pairs) > LISTED:
                said.append(f"  and {len(pairs) - LISTED} more: --json has all")
    return said


def summary(found: Comparison) -> str:
    """Return the sentence of how many incidents stay, change, appear and go."""
    same, changed, new, gone = (len(found.of(fate)) for fate in ("same", "changed", "appears", "goes"))
    if not found.pairs:
        return "No incident in either version."
    return f"Incidents: {same} stay as they are, {changed} change, {new} appear, {gone} go."


def history_line(found: Comparison) -> str:
    """Return what was judged."""
    since, until, weeks = found.judged
    return (
        f"{found.intervals:,} intervals of {found.series:,} series; judged from {since} to {until}, "
        f"{weeks:.1f} weeks; an anomaly has a severity of {THRESHOLD_SEVERITY:g} or more"
    )


def markdown(found: Comparison) -> str:
    """Return a comment for a pull request."""
    workload = found.after.outcome.version.plan.workload
    names = (found.before.outcome.version.name, found.after.outcome.version.name)
    text = [f"### Backtest of `{workload}`", "", f"{history_line(found)}.", ""]
    if found.changes:
        text += ["| changed | " + " | ".join(map(_cell, names)) + " |", "| --- | --- | --- |"]
        text += [f"| `{_cell(key)}` | {_cell(old)} | {_cell(new)} |" for key, old, new in found.changes]
    else:
        text.append("Nothing that the running parts read has changed.")
    text += ["", "| | " + " | ".join(map(_cell, names)) + " | difference |", "| --- | ---: | ---: | ---: |"]
    text += ["| " + " | ".join(map(_cell, row)) + " |" for row in rows(found)]
    text += ["", summary(found)]
    for fate, heading in _HEADINGS.items():
        pairs = found.of(fate)
        if not pairs:
            continue
        text += [
            "",
            f"<details{' open' if fate != 'changed' else ''}><summary>{heading}: {len(pairs)}</summary>",
        ]
        text += ["", *(f"- {_escaped(_line(pair))}" for pair in pairs[:LISTED])]
        if len(pairs) > LISTED:
            text.append(f"- and {len(pairs) - LISTED} more")
        text += ["", "</details>"]
    text += [f"\n> {_escaped(note)}" for note in found.notes]
    return "\n".join(text) + "\n"


def _line(pair: Pair) -> str:
    if pair.fate != "changed":
        return _incident(pair.first)
    old, new = _severities(pair.before), _severities(pair.after)
    was = f"severity {old} → {new}" if old != new else f"severity {new}"
    if len(pair.before) != len(pair.after):
        was += f", {len(pair.before)} → {len(pair.after)} incidents"
    counts = [
        sum(part.intervals for each in side for part in each.touched) for side in (pair.before, pair.after)
    ]
    if counts[0] != counts[1]:
        was += f", {counts[0]} → {counts[1]} anomalies"
    return f"{pair.first.title} ({was})"


def _incident(incident: Incident) -> str:
    count = _intervals([incident])
    anomalies = "1 anomaly" if count == 1 else f"{count} anomalies"
    return f"{incident.title} ({incident.opened_at}, severity {incident.severity:.0f}, {anomalies})"


def _intervals(incidents: Sequence[Incident]) -> int:
    return sum(part.intervals for each in incidents for part in each.touched)


def _severities(incidents: Sequence[Incident]) -> str:
    return f"{max(each.severity for each in incidents):.0f}"


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:,.2f}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _escaped(text: str) -> str:
    return (
        text.replace("<", "&lt;")
        .replace("*", "\\*")
        .replace("_", "\\_")
        .replace("`", "\\`")
        .replace("[", "\\[")
    )
