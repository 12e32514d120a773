"""Measures what feedback on the first half of labelled series is worth in the second; writes the page."""

from __future__ import annotations

from pathlib import Path

import typer

from benchmarks import pages
from benchmarks.feedback.halves import Found, Halves, together
from benchmarks.quality.corpus import load_corpus
from benchmarks.quality.operations import load_kpis

PAGE = pages.DOCS / "benchmarks-feedback.md"
KPIS = 15
"""As many, the last ones, as the detector is developed on."""


def main() -> None:
    """Measure, print and write the page."""
    about = pages.machine()
    corpora = {"NAB": load_corpus(), "KPIs of servers": load_kpis()[-KPIS:]}
    found = {f"{name}, {len(corpus)}": together(corpus) for name, corpus in corpora.items() if corpus}
    template = Path(__file__).with_name("page.md").read_text(encoding="utf-8")
    text = template.format(machine=pages.described(about), table=_table(found))
    PAGE.write_text(text, encoding="utf-8")
    print(text)


def _table(found: dict[str, Halves]) -> str:
    header = ("data", "judged real", "noise", "", "false alerts", "a week", "windows found")
    rows = []
    for name, one in found.items():
        parts: dict[str, Found] = {"before": one.before, "raised alone": one.raised, "after": one.after}
        for what, part in parts.items():
            rows.append(
                (
                    name,
                    one.real,
                    one.noise,
                    what,
                    part.false_alerts,
                    f"{part.false_alerts / one.weeks:.2f}",
                    f"{part.found} of {part.windows}",
                )
            )
    return pages.table(header, rows, rule="---:")


if __name__ == "__main__":
    typer.run(main)
