"""The report as PDF: whole, in any language, and the same bytes each time."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import numpy as np

from containers.explain.report.blocks import Chart, Document, Section, Table
from containers.explain.report.pdf import write_pdf
from watchkeeper.charts.quality import draw_bars


def chart(height: int) -> Chart:
    names = [f"feature {row}" for row in range(height)]
    return Chart(
        "bar", draw_bars(names, np.arange(height, dtype=float).tolist(), names, "share"), "Importance"
    )


def document(rows: int = 3) -> Document:
    table = Table(
        ["Metric", "Value", "How to read it"],
        [[f"metric {row}", f"−{row}.5e−16", "the labels of two groups, " * 6] for row in range(rows)],
        frozenset({1}),
    )
    return Document(
        "Größe, ≥ 0 and $x$",
        "3 rows",
        [
            Section("Summary", [["first ∞", "second " * 60]]),
            Section("Drivers", ["What is drawn:", chart(5), table]),
            Section("Once more", ["What is drawn:", chart(12)]),
        ],
    )


def pages(path: Path) -> list[bytes]:
    """Return what is drawn on each page."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", path.read_bytes(), re.DOTALL)
    texts = []
    for stream in streams:
        try:
            text = zlib.decompress(stream)
        except zlib.error:
            continue
        if b"BT" in text and b"ET" in text:
            texts.append(text)
    return texts


def test_same_report_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.pdf", "b.pdf"):
        write_pdf(document(), tmp_path / name)
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")


def test_heading_stands_with_its_chart_and_no_page_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    write_pdf(document(), path)
    drawn = pages(path)
    assert len(drawn) == 2
    assert all(page.count(b" Do") for page in drawn)  # a chart on each


def test_long_table_goes_on_over_pages(tmp_path: Path) -> None:
    short, long = tmp_path / "short.pdf", tmp_path / "long.pdf"
    write_pdf(document(), short)
    write_pdf(document(rows=90), long)
    assert len(pages(long)) > len(pages(short)) + 1


def test_table_of_numbers_only_and_names_longer_than_a_page_is_wide_are_set(tmp_path: Path) -> None:
    tables = [
        Table(["a" * 200, "b"], [["c" * 300, "1"], ["d", "2"]], frozenset({1, 2, 3})),
        Table(["", "Rows"], [["x", "77 (19 %)"]], frozenset({1})),
    ]
    write_pdf(Document("t", "s", [Section("one", [*tables])]), tmp_path / "a.pdf")
    assert len(pages(tmp_path / "a.pdf")) == 1
