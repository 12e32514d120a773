"""`watchkeeper feedback`: whether an incident was real, and what was said of a workload's incidents."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated

import boto3
import typer
from rich.markup import escape
from rich.table import Column, Table

from cli.responding import By, caller, store_of
from cli.specs import anomaly_spec_of
from lambdas.adapters.incident_store import IncidentStore
from lambdas.incidents.responding import judge
from watchkeeper.command.screen import complain, console, done, say
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import format_instant, in_zone, parse_instant
from watchkeeper.incidents.feedback import Label, Verdict, labels_of, moved_thresholds
from watchkeeper.incidents.incident import Feedback
from watchkeeper.judgement.moved import DIRECTIONS

FORMATS = (".json", ".csv")


def feedback(
    subject: Annotated[
        str, typer.Argument(help="Id of an incident; with --list or --export, a workload or its file.")
    ],
    real: Annotated[bool, typer.Option("--real", help="It was real: somebody should know of such.")] = False,
    expected: Annotated[
        bool, typer.Option("--expected", help="It did happen, and was known before or is usual.")
    ] = False,
    noise: Annotated[bool, typer.Option("--noise", help="Nothing happened.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Take back what was said of it.")] = False,
    note: Annotated[str | None, typer.Option(help="Why, for others.")] = None,
    by: By = None,
    listing: Annotated[
        bool, typer.Option("--list", help="List what was said, and the limits of severity that follow.")
    ] = False,
    export: Annotated[
        Path | None,
        typer.Option(help="File to write: .json has labels as --labels takes them, .csv each verdict."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="With --list: one JSON object a line.")] = False,
) -> None:
    """Say whether an incident was real, expected or noise; list and export what was said."""
    asked = {
        "--real": real,
        "--expected": expected,
        "--noise": noise,
        "--undo": undo,
        "--list": listing,
        "--export": export is not None,
    }
    if sum(asked.values()) != 1:
        given = [name for name, is_asked in asked.items() if is_asked]
        raise InvalidInputError(
            f"give one of {', '.join(asked)}" + (f", not {' and '.join(given)}" if given else "")
        )
    if note is not None and (listing or undo or export is not None):
        raise InvalidInputError("--note goes with --real, --expected or --noise: leave it out")
    if as_json and not listing:
        raise InvalidInputError("--json goes with --list: leave it out")
    session = boto3.Session()
    store = store_of(session)
    if export is not None:
        name = anomaly_spec_of(subject, "feedback").name
        _export(store.verdicts(name), store.labels(name), subject, export)
    elif listing:
        _list(store.verdicts(anomaly_spec_of(subject, "feedback").name), subject, as_json)
    else:
        who, now = by or caller(session), datetime.now(timezone.utc)
        what: Feedback | None = "real" if real else "expected" if expected else "noise" if noise else None
        say(_said(store, subject, what, who, now, note))


def _said(
    store: IncidentStore, incident_id: str, what: Feedback | None, who: str, now: datetime, note: str | None
) -> str:
    """Give a verdict, or take it back where there is none, and return what is so now."""
    found = judge(store, incident_id, what, who, now, note)
    if what is None:
        return f"what was said of {found.incident_id} is taken back: {found.title}"
    return f"{found.incident_id} was {what}: {found.title}"


def _list(verdicts: Sequence[Verdict], workload: str, as_json: bool) -> None:
    if as_json:
        for verdict in verdicts:
            console.out(verdict.to_json(), highlight=False)
        return
    if not verdicts:
        complain(f"nobody has judged an incident of {workload}: `watchkeeper feedback INCIDENT --real`")
        return
    table = Table(
        *(Column(name, no_wrap=True) for name in ("incident", "was", "at", "who")), "note", box=None
    )
    for verdict in sorted(verdicts, key=lambda each: each.at, reverse=True):
        table.add_row(
            verdict.incident_id,
            verdict.what,
            in_zone(parse_instant(verdict.at), "UTC"),
            escape(verdict.who),
            escape(verdict.note or ""),
        )
    console.print(table)
    moved = moved_thresholds(verdicts)
    for direction in DIRECTIONS:
        for name, level in {**moved.measures[direction], **moved.series[direction]}.items():
            console.out(
                f"{name} {direction} what is expected: the limit is severity {level:.1f}", highlight=False
            )


def _export(verdicts: Sequence[Verdict], marked: Sequence[Label], workload: str, path: Path) -> None:
    if path.suffix not in FORMATS:
        raise InvalidInputError(f"--export {path}: name a file that ends in {' or '.join(FORMATS)}")
    if not verdicts and not (marked and path.suffix == ".json"):
        raise InvalidInputError(f"nobody has judged an incident of {workload}; {path} was not written")
    if path.suffix == ".json":
        labels = labels_of(verdicts, marked)
        path.write_text(json.dumps(labels, indent=1) + "\n", encoding="utf-8")
        done(f"{path}: labels of {len(labels)} series; what is in no window of theirs counts as no anomaly")
        return
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(("incident_id", "series", "start", "end", "verdict", "severity", "at", "who", "note"))
        for verdict in verdicts:
            for mark in verdict.marks:
                for start, count in mark.runs:
                    end = start + count * verdict.interval_seconds
                    times = format_instant(start), format_instant(end)
                    said = verdict.what, f"{mark.severity:.1f}", verdict.at, verdict.who, verdict.note or ""
                    lines.writerow((verdict.incident_id, mark.series, *times, *said))
    done(f"{path}: {len(verdicts)} verdicts")
