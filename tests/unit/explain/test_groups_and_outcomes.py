"""Facets, thresholds and predictions as the bias metrics need them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from containers.explain.bias.analysis import BiasAnalysis, analyse_bias
from containers.explain.io.configuration import read_configuration
from containers.explain.io.dataset import read_dataset
from containers.explain.io.model import Model
from containers.explain.io.predictor_settings import PredictorSettings
from containers.explain.report.results import analysis_document
from watchkeeper.core.errors import InvalidInputError

HEADERS = ["Rings", "Sex", "Length", "Kind"]
ROWS = "".join(f"{5 + index},{'MFI'[index % 3]},{index / 10},{index % 2}\n" for index in range(12))


def analyse(
    tmp_path: Path,
    facet: list[dict[str, Any]],
    *,
    threshold: list[Any] | None = None,
    answer: Callable[[bytes], bytes] | None = None,
    predictor: dict[str, Any] | None = None,
    data: str = ROWS,
    **changes: Any,
) -> tuple[BiasAnalysis, Any]:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "data.csv").write_text(data)
    methods = {"pre_training_bias": {"methods": "all"}}
    if answer is not None:
        methods["post_training_bias"] = {"methods": "all"}
    configuration = read_configuration(
        {
            "dataset_type": "text/csv",
            "headers": HEADERS,
            "label": "Rings",
            "label_values_or_threshold": threshold or [10],
            "facet": facet,
            "methods": methods,
            **changes,
        }
    )
    dataset = read_dataset(tmp_path / "data", configuration)
    settings = PredictorSettings(**(predictor or {}))
    model = None if answer is None else Model(answer, settings, 100, 10_000, "a model")
    assert configuration.measures_bias
    return analyse_bias(configuration, dataset, model), dataset


def value(bias: BiasAnalysis, name: str, facet: int = 0) -> float | None:
    found = bias.facets[facet]
    metrics = [*(found.pre_training or []), *(found.post_training or [])]
    return next(metric.value for metric in metrics if metric.name == name)


def test_one_number_is_a_threshold_of_a_regressions_label(tmp_path: Path) -> None:
    bias, dataset = analyse(tmp_path, [{"name_or_index": "Sex", "value_or_threshold": ["F"]}])
    document = analysis_document(dataset, ["label0"], None, [], bias)["pre_training_bias_metrics"]

    assert bias.favourable.words == "Rings above 10"
    assert (bias.facets[0].members.labelled, bias.facets[0].others.labelled) == (2, 4)
    assert value(bias, "DPL") == pytest.approx(4 / 8 - 2 / 4)
    assert value(bias, "CI") == pytest.approx((8 - 4) / 12)
    assert (document["label"], document["label_value_or_threshold"]) == ("Rings", "(10, 16]")
    assert document["facets"]["Sex"][0]["value_or_threshold"] == "F"
    assert {
        "name": "DPL",
        "description": "Difference in Positive Proportions in Labels (DPL)",
        "value": 0.0,
    } in (document["facets"]["Sex"][0]["metrics"])


def test_facet_without_values_is_compared_value_by_value_and_by_threshold(tmp_path: Path) -> None:
    bias, dataset = analyse(
        tmp_path,
        [{"name_or_index": 1}, {"name_or_index": "Length", "value_or_threshold": [0.5]}],
        group_variable="Kind",
    )
    facets = analysis_document(dataset, [], None, [], bias)["pre_training_bias_metrics"]["facets"]

    assert [item["value_or_threshold"] for item in facets["Sex"]] == ["F", "I", "M"]
    assert [item["value_or_threshold"] for item in facets["Length"]] == ["(0.5, 1.1]"]
    assert value(bias, "CDDL") is not None


def test_predictions_of_a_regressor_are_held_against_the_labels_threshold(tmp_path: Path) -> None:
    def predict(
        body: bytes,
    ) -> bytes:  # always one ring less: row 6 (11 rings, sex M) is predicted to have 10
        return "\n".join(
            str(5 + round(float(line.split(",")[1]) * 10) - 1) for line in body.decode().split("\n")
        ).encode()

    bias, _ = analyse(tmp_path, [{"name_or_index": "Sex", "value_or_threshold": ["M"]}], answer=predict)

    assert bias.facets[0].members.false_negative == 1
    assert bias.facets[0].others.false_negative == 0
    assert value(bias, "AD") == pytest.approx(1 / 4)
    assert next(m.error for m in bias.facets[0].post_training or [] if m.name == "FT") is None


def test_labels_and_probabilities_of_a_classifier_are_read_as_configured(tmp_path: Path) -> None:
    data = "".join(f"{'yes' if index % 2 else 'no'},{'MF'[index // 6]},{index},0\n" for index in range(12))
    facet = [{"name_or_index": "Sex", "value_or_threshold": ["F"]}]

    def wanted(body: bytes) -> list[bool]:
        return [int(line.split(",")[1]) < 6 for line in body.decode().split("\n")]

    def probability(body: bytes) -> bytes:
        return "\n".join("0.75" if flag else "0.65" for flag in wanted(body)).encode()

    def two_scores(body: bytes) -> bytes:
        return "\n".join("0.2,0.8" if flag else "0.9,0.1" for flag in wanted(body)).encode()

    def label_and_score(body: bytes) -> bytes:
        return "\n".join("yes,0.1" if flag else "no,0.1" for flag in wanted(body)).encode()

    for number, (answer, predictor, more) in enumerate(
        (
            (probability, {}, {"probability_threshold": 0.7}),
            (two_scores, {"label_headers": ("no", "yes")}, {}),
            (label_and_score, {"label": 0, "probability": 1}, {}),
        )
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        bias, _ = analyse(
            folder, facet, threshold=["yes"], answer=answer, predictor=predictor, data=data, **more
        )
        assert (bias.facets[0].members.predicted, bias.facets[0].others.predicted) == (0, 6)
        assert value(bias, "DPPL") == 1.0


@pytest.mark.parametrize(
    ("facet", "changes", "said"),
    [
        (
            [{"name_or_index": "Sex", "value_or_threshold": ["X"]}],
            {},
            "facet.value_or_threshold of Sex: no row has Sex = 'X'",
        ),
        (
            [{"name_or_index": "Length"}],
            {},
            "facet.value_or_threshold of Length: Length is a column of many numbers",
        ),
        (
            [{"name_or_index": "Length", "value_or_threshold": ["a"]}],
            {},
            "'a' is not a number, as Length has",
        ),
        (
            [{"name_or_index": "Length", "value_or_threshold": [5]}],
            {},
            "Length above 5: no row is in the sensitive",
        ),
        (
            [{"name_or_index": "Sex"}],
            {"threshold": ["many"]},
            "label_values_or_threshold: 'many' is not a number",
        ),
    ],
)
def test_groups_that_are_not_there_are_refused_by_key(
    tmp_path: Path, facet: list[dict[str, Any]], changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidInputError, match=said):
        analyse(tmp_path, facet, **changes)


def test_scores_that_are_neither_labels_nor_probabilities_are_refused(tmp_path: Path) -> None:
    data = "".join(f"{index % 2},{'MF'[index // 6]},{index},0\n" for index in range(12))
    with pytest.raises(InvalidInputError, match=r"such as 7.5, are neither labels nor probabilities"):
        analyse(
            tmp_path,
            [{"name_or_index": "Sex", "value_or_threshold": ["F"]}],
            threshold=[1],
            answer=lambda body: b"\n".join([b"7.5"] * len(body.split(b"\n"))),
            data=data,
        )
