"""What charts show: a sample of bounded size that does not depend on how a table is cut into parts."""

import json
import re

import numpy as np
import pytest

from containers.service.page import write_page
from containers.service.picture import SAMPLE_ANOMALIES, SAMPLE_ROWS, Picture, projection
from containers.service.quality import measure
from containers.service.tables import Part
from watchkeeper.detectors.protocol.scores import Scores

ROWS = 40_000


def collected(part_rows, labelled=True, rows=ROWS, columns=3):
    rng = np.random.default_rng(0)
    values, scores = rng.normal(size=(rows, columns)), rng.random(rows) ** 4
    truth = rng.random(rows) < 0.002
    picture = Picture(0.9)
    names = tuple("abcdefgh"[:columns])
    for start in range(0, rows, part_rows):
        chosen = slice(start, start + part_rows)
        some = scores[chosen]
        found = Scores(some, 100 * some, some > 0.9, some)
        part = Part(start, names, values[chosen], 60.0 * np.arange(rows)[chosen])
        picture.add(part, found, truth[chosen] if labelled else None)
    return picture, truth, scores


@pytest.mark.parametrize("part_rows", [900, 5_000, 40_000])
def test_the_sample_is_even_and_has_the_anomalies(part_rows):
    picture, truth, scores = collected(part_rows)
    sample = picture.sample()
    assert len(sample) <= SAMPLE_ROWS + SAMPLE_ANOMALIES
    assert set(range(0, ROWS, sample.every)) <= set(sample.row)
    assert (np.diff(sample.row) > 0).all()
    assert sample.truth.sum() > 0.9 * truth.sum()
    np.testing.assert_array_equal(sample.scores.raw, scores[sample.row])


def test_counts_are_of_all_rows():
    picture, truth, scores = collected(5_000)
    assert picture.bins.sum() == picture.rows == ROWS
    assert picture.bins[1].sum() == truth.sum()
    assert picture.anomalies == (scores > 0.9).sum()


def test_a_small_table_is_shown_whole():
    picture, _, _ = collected(100, rows=1_000)
    assert picture.sample().row.tolist() == list(range(1_000))


def test_the_page_needs_nothing_but_itself_and_escapes_names(tmp_path):
    picture, truth, scores = collected(1_000, rows=2_000)
    quality = measure(truth[:2_000], scores[:2_000] > 0.9, scores[:2_000])
    path = tmp_path / "charts" / "index.html"
    write_page(
        picture,
        path,
        title="<script>alert(1)</script>",
        about="</script>",
        quality=quality,
        truth=truth[:2_000],
        raw=scores[:2_000],
    )
    text = path.read_text()
    assert "<script>alert" not in text
    assert not re.search(r"(src|href)=|https?://", text)
    document = json.loads(re.search(r'id="document">(.*?)</script>', text)[1])
    assert document["about"].startswith("</script>")
    assert len(document["row"]) == len(document["score"]) == len(document["plane"]) == 2_000
    assert document["quality"]["anomalies"] == truth[:2_000].sum()


def test_a_projection_is_that_of_two_columns_or_of_principal_components():
    values = np.random.default_rng(1).normal(size=(50, 5))
    assert projection(values[:, :1], "a") is None
    two, names = projection(values[:, :2], "ab")
    np.testing.assert_allclose(two, values[:, :2])
    assert names == ("a", "b")
    values[3, 2] = np.nan
    turned, names = projection(values, "abcde")
    assert np.isfinite(turned).all()
    assert names[0].startswith("component 1 (")
