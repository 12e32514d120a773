"""Charts: what is in them, that they can be told apart, and that the same numbers give the same bytes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from watchkeeper.charts import attribution, quality, style
from watchkeeper.charts.series import Panel, detector_panels, draw_series, labelled_windows, scores_panel
from watchkeeper.detectors.streaming.scores import SeriesScores

PROJECT = Path(__file__).parents[3]
REPORT = "cli/demo/page.html"
HOURS = np.datetime64("2026-03-01T00", "s") + np.arange(48) * np.timedelta64(3600, "s")
VALUES = np.sin(np.arange(48) / 4)


def lines(figure: Figure, label: str) -> np.ndarray:
    """Return the heights of a line, by its name in the legend."""
    (found,) = (line for axes in figure.axes for line in axes.lines if line.get_label() == label)
    return np.asarray(found.get_ydata(), dtype=float)


def dots(figure: Figure) -> int:
    return sum(
        len(np.asarray(found.get_offsets()))
        for axes in figure.axes
        for found in axes.collections
        if found.get_label() == "anomaly"
    )


def panel(**known: Any) -> Panel:
    return Panel(**{"title": "flow", "x": HOURS, "values": VALUES, **known})


@pytest.mark.parametrize("dropped", [1, 20])
def test_line_is_broken_where_readings_are_missing(dropped: int) -> None:
    kept = np.r_[0:10, 10 + dropped : 48]
    figure = draw_series("t", [panel(x=HOURS[kept], values=VALUES[kept], step=np.timedelta64(3600, "s"))])
    assert np.isnan(lines(figure, "value")).sum() == 1


def test_without_a_known_step_only_a_long_gap_breaks_the_line() -> None:
    for dropped, breaks in ((3, 0), (20, 1)):
        kept = np.r_[0:10, 10 + dropped : 48]
        figure = draw_series("t", [panel(x=HOURS[kept], values=VALUES[kept])])
        assert np.isnan(lines(figure, "value")).sum() == breaks


def test_rows_at_one_time_and_a_single_row_are_drawn() -> None:
    for n_rows in (1, 48):
        figure = draw_series("t", [panel(x=np.repeat(HOURS[:1], n_rows), values=VALUES[:n_rows])])
        assert np.isfinite(lines(figure, "value")).all()


def test_every_anomaly_of_a_long_series_has_its_dot_and_every_spike_is_in_the_line() -> None:
    values = np.zeros(200_000)
    values[[7, 90_001]] = 50.0, -50.0
    anomalous = np.zeros(200_000, dtype=bool)
    anomalous[5_000:8_000] = True
    figure = draw_series("t", [panel(x=np.arange(200_000), values=values, anomalous=anomalous)], x="row")
    drawn = lines(figure, "value")
    assert len(drawn) < 5_000
    assert (drawn.max(), drawn.min()) == (50.0, -50.0)
    assert dots(figure) == 3_000


def test_label_of_a_single_row_can_be_seen() -> None:
    labelled = np.zeros(48, dtype=bool)
    labelled[[5, 20, 21, 22]] = True
    windows = labelled_windows(HOURS, labelled)
    assert windows == [(HOURS[5], HOURS[5]), (HOURS[20], HOURS[22])]
    (axes,) = draw_series("t", [panel(windows=windows)]).axes
    (spans,) = (found for found in axes.collections if found.get_label() == "labelled")
    assert len(spans.get_paths()) == 2
    assert spans.get_linewidth()[0] > 0


def test_threshold_and_zero_of_scores_are_in_view_and_a_wide_band_does_not_flatten_the_values() -> None:
    scores = scores_panel("anomaly_score", HOURS, np.full(48, 3.0), threshold=np.full(48, 9.0))
    wide = panel(lower=np.full(48, -1e6), upper=np.full(48, 1e6))
    top, bottom = draw_series("t", [wide, scores]).axes
    assert top.get_ylim()[1] < 2.0
    assert bottom.get_ylim()[0] == 0.0
    assert bottom.get_ylim()[1] > 9.0


def test_missing_values_alone_are_a_picture_too(tmp_path: Path) -> None:
    nothing = np.full(48, np.nan)
    path = style.save(
        draw_series("t", [panel(values=nothing, lower=nothing, upper=nothing)]), tmp_path / "a.png"
    )
    assert path.read_bytes().startswith(b"\x89PNG")


def test_each_column_of_a_detector_has_its_panel_and_the_severity_one() -> None:
    by_column = np.zeros((48, 2))
    scores = SeriesScores(
        anomaly_score=VALUES,
        severity=np.full(48, 99.0),
        is_anomaly=VALUES > 0.9,
        raw=VALUES,
        expected=by_column,
        lower=by_column - 1,
        upper=by_column + 1,
        confidence=VALUES,
        contributions=by_column,
        goes_on=VALUES > 0.9,
    )
    panels = detector_panels(["flow", "level"], HOURS, np.stack([VALUES, -VALUES], axis=1), scores)
    assert [one.title for one in panels] == ["flow", "level", "severity (limit 70)"]
    assert panels[2].threshold is not None
    assert panels[2].threshold.tolist() == [70.0] * 48
    assert panels[1].values is not None
    np.testing.assert_array_equal(panels[1].values, -VALUES)
    assert dots(draw_series("t", panels)) == 3 * int((VALUES > 0.9).sum())


def drawn_again() -> list[Figure]:
    rng = np.random.default_rng(0)
    one, two = rng.normal(size=(2, 50))
    bins = rng.integers(0, 9, size=(2, 20))
    return [
        draw_series("costs $5 to $9", [panel(title="price in $ a_b$", anomalous=VALUES > 0.9)]),
        quality.draw_bars(["a", "b$c$"], [2.0, 1.0], ["2", "$1"], "score", others={1}),
        quality.draw_histogram("t", bins, 0.5, labelled=True),
        quality.draw_projection("t", np.stack([one, two], axis=1), ("x", "y"), one > 1, two > 1),
        quality.draw_confusion("t", np.array([[90, 3], [0, 0]])),
        quality.draw_precision_recall(
            "t", np.ones(3), np.linspace(0, 1, 3), area=1.0, chance=0.1, at_threshold=(0.5, 1.0)
        ),
        quality.draw_predictions("t", "rings", one, two),
        quality.draw_residuals("t", "rings", one, two),
        attribution.draw_beeswarm(["a", "b"], [one, None], [two, one], "rings"),
        attribution.draw_steps(
            "t", [("a = 1", 2.0, "+2"), ("b = 2", -1.0, "−1")], (3.0, "baseline 3"), "rings"
        ),
        attribution.draw_dependence("a", [1.0, 2.0], {"label0": np.array([1.0, 2.0])}, [0.5, 0.5]),
        attribution.draw_dependence("sex", ["M", "F"], {"u": one[:2], "v": two[:2]}, [0.5, 0.5]),
    ]


def test_same_numbers_give_the_same_bytes() -> None:
    for first, second in zip(drawn_again(), drawn_again(), strict=True):
        assert style.png(first) == style.png(second)


def test_colours_differ_in_a_print_without_colour() -> None:
    def lightness(color: str) -> float:
        return float(np.dot((0.299, 0.587, 0.114), to_rgb(color)))

    assert lightness(style.INK) < lightness(style.LINE) < lightness(style.ANOMALY) < lightness(style.LABEL)
    steps = np.diff([lightness(color) for color in (style.INK, style.LINE, style.ANOMALY, style.LABEL)])
    assert steps.min() > 0.08


@pytest.mark.parametrize(
    "page",
    ["model_code/containers/service/page.html", "model_code/containers/explain/report/page.py", REPORT],
)
def test_pages_have_the_colours_of_the_charts(page: str) -> None:
    (light, *_) = re.findall(r":root \{(.*?)\}", (PROJECT / page).read_text(encoding="utf-8"))
    found = dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6})", light))
    marks = {"mark": style.LINE, "blue": style.LINE, "anomaly": style.ANOMALY, "label": style.LABEL}
    texts = {"ink": style.INK, "text": style.INK, "muted": style.MUTED, "soft": style.MUTED}
    line = {"line": style.LINE if "anomaly" in found else style.GRID}
    for name, color in (marks | texts | line).items():
        assert found.get(name, color) == color, name
    assert found.keys() & marks.keys()


@pytest.mark.parametrize("name", ["flow", "flow|hall=a b", "../../etc", "ümlaut", "a" * 300])
def test_file_names_are_safe_and_differ(name: str) -> None:
    found = style.file_name(name)
    assert found.replace("-", "").replace("_", "").isalnum()
    assert len(found) < 100
    assert found != style.file_name(name + "!")


def test_the_axis_of_time_is_in_the_zone_that_it_names() -> None:
    figure = draw_series("t", [panel(x=HOURS[:12], values=VALUES[:12])], timezone="Asia/Kolkata")
    (axes,) = figure.axes

    figure.canvas.draw()

    assert axes.get_xlabel() == "time (Asia/Kolkata)"
    shown = [label.get_text() for label in axes.get_xticklabels()]
    assert "06:00" in shown  # 00:30 UTC: a round hour there
