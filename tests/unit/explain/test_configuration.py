"""Clarify's configuration: as the SageMaker SDK writes it, and as users get it wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from schema import Optional as SchemaOptional
from schema import Or, Schema

from containers.explain.io.configuration import (
    REFUSED,
    AnalysisConfiguration,
    Facet,
    load_configuration,
    read_configuration,
)
from containers.explain.io.sections import honoured_keys
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.regression.analysis_configuration import analysis_configuration
from watchkeeper.spec import RegressionWorkload, load_workloads

clarify = pytest.importorskip("sagemaker.clarify")

HEADERS = ["Rings", "Sex", "Length", "ShellWeight"]
BASELINE = [["M", 0.5, 0.2]]
PREDICTOR = {"model_name": "m", "instance_type": "ml.m5.large", "initial_instance_count": 1}


def minimal(**changes: Any) -> dict[str, Any]:
    return {
        "dataset_type": "text/csv",
        "headers": HEADERS,
        "label": "Rings",
        "methods": {"shap": {"baseline": BASELINE}},
        "predictor": PREDICTOR,
        **changes,
    }


def shap(**settings: Any) -> dict[str, Any]:
    return minimal(methods={"shap": settings})


def with_bias(**changes: Any) -> dict[str, Any]:
    return minimal(
        **{
            "methods": {"pre_training_bias": {"methods": "all"}},
            "label_values_or_threshold": [10],
            "facet": [{"name_or_index": "Sex", "value_or_threshold": ["F"]}],
            **changes,
        }
    )


def generated(run: str, **arguments: Any) -> dict[str, Any]:
    """Return the file that the SDK uploads."""
    generator = clarify._AnalysisConfigGenerator
    data = arguments.pop("data", None) or clarify.DataConfig(
        s3_data_input_path="s3://bucket/data.csv",
        s3_output_path="s3://bucket/out",
        label="Rings",
        headers=HEADERS,
        dataset_type="text/csv",
    )
    document = getattr(generator, run)(data_config=data, **arguments)
    return json.loads(json.dumps(document))


def model(**changes: Any) -> Any:
    return clarify.ModelConfig(
        **{
            "model_name": "abalone",
            "instance_type": "ml.m5.large",
            "instance_count": 1,
            "accept_type": "text/csv",
            "content_type": "text/csv",
            **changes,
        }
    )


def test_everything_that_the_sdk_can_ask_of_a_table_is_read_unchanged() -> None:
    document = generated(
        "bias_and_explainability",
        model_config=model(endpoint_name_prefix="abalone", custom_attributes="c=1"),
        model_predicted_label_config=clarify.ModelPredictedLabelConfig(probability_threshold=0.7),
        explainability_config=[
            clarify.SHAPConfig(
                baseline=BASELINE, num_samples=100, agg_method="median", seed=7, use_logit=True
            ),
            clarify.PDPConfig(features=["Length"], grid_resolution=9, top_k_features=3),
        ],
        bias_config=clarify.BiasConfig(
            label_values_or_threshold=[10],
            facet_name=["Sex", "Length"],
            facet_values_or_threshold=[["F"], [0.5]],
            group_name="Sex",
        ),
        pre_training_methods=["CI", "DPL"],
        post_training_methods="all",
    )

    found = read_configuration(document)

    assert found.headers == tuple(HEADERS)
    assert found.methods.shap is not None
    assert (found.methods.shap.baseline, found.methods.shap.num_samples, found.methods.shap.agg_method) == (
        (("M", 0.5, 0.2),),
        100,
        "median",
    )
    assert (
        found.methods.shap.seed,
        found.methods.shap.use_logit,
        found.methods.shap.save_local_shap_values,
    ) == (7, True, True)
    assert found.methods.pdp is not None
    assert (found.methods.pdp.features, found.methods.pdp.grid_resolution) == (("Length",), 9)
    assert found.facet == (Facet("Sex", ("F",)), Facet("Length", (0.5,)))
    pre, post = found.methods.pre_training_bias, found.methods.post_training_bias
    assert pre is not None
    assert post is not None
    assert (pre.methods, post.methods) == (("CI", "DPL"), "all")
    assert found.group_variable == "Sex"
    assert found.probability_threshold == 0.7
    assert found.methods.report is not None
    assert found.methods.report.name == "report"
    assert found.predictor is not None
    assert (found.predictor.model_name, found.predictor.endpoint_name_prefix) == ("abalone", "abalone")
    assert found.predictor.custom_attributes == "c=1"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ("text/csv", "text/csv", None)),
        (
            {"content_type": "application/jsonlines", "content_template": '{"features": $features}'},
            ("application/jsonlines", "text/csv", None),
        ),
        (
            {
                "content_type": "application/json",
                "accept_type": "application/json",
                "content_template": '{"instances": $records}',
                "record_template": "$features_kvp",
            },
            ("application/json", "application/json", "$features_kvp"),
        ),
        ({"target_model": "one.tar.gz"}, ("text/csv", "text/csv", None)),
    ],
)
def test_predictors_of_the_sdk_are_read(settings: dict[str, Any], expected: tuple[Any, ...]) -> None:
    document = generated(
        "explainability",
        model_config=model(**settings),
        model_predicted_label_config=None,
        explainability_config=clarify.SHAPConfig(num_clusters=3),
    )

    found = read_configuration(document).predictor

    assert found is not None
    assert (found.content_type, found.accept_type, found.record_template) == expected
    assert found.target_model == settings.get("target_model")


def test_endpoint_and_scores_of_the_sdk_are_read() -> None:
    document = generated(
        "explainability",
        model_config=clarify.ModelConfig(endpoint_name="live"),
        model_predicted_label_config=clarify.ModelPredictedLabelConfig(
            label=0, probability=1, label_headers=["a", "b"]
        ),
        explainability_config=clarify.SHAPConfig(baseline="s3://bucket/baseline.csv"),
    )

    found = read_configuration(document)

    assert found.predictor is not None
    assert (found.predictor.endpoint_name, found.predictor.label, found.predictor.probability) == (
        "live",
        0,
        1,
    )
    assert found.predictor.label_headers == ("a", "b")
    assert found.methods.shap is not None
    assert found.methods.shap.baseline == "s3://bucket/baseline.csv"


def test_bias_configurations_of_the_sdk_are_read() -> None:
    data = clarify.DataConfig(
        s3_data_input_path="s3://bucket/data.csv",
        s3_output_path="s3://bucket/out",
        label="Rings",
        headers=[*HEADERS, "predicted", "id", "note"],
        predicted_label="predicted",
        joinsource="id",
        excluded_columns=["note"],
    )
    bias = clarify.BiasConfig(label_values_or_threshold=[10], facet_name="Sex")

    before = read_configuration(generated("bias_pre_training", data=data, bias_config=bias, methods="all"))
    both = read_configuration(
        generated(
            "bias",
            data=data,
            bias_config=bias,
            model_config=None,
            model_predicted_label_config=None,
        )
    )

    assert not before.needs_model
    assert before.measures_bias
    assert before.methods.post_training_bias is None
    assert (before.predicted_label, before.joinsource_name_or_index, before.excluded_columns) == (
        "predicted",
        "id",
        ("note",),
    )
    assert both.methods.post_training_bias is not None
    assert both.methods.post_training_bias.methods == "all"
    assert not both.needs_model  # the data have the predictions


def test_processor_of_the_sdk_uploads_what_is_read(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    uploaded = {}

    def keep(path: str, *_: Any) -> str:
        uploaded["document"] = Path(path).read_text(encoding="utf-8")
        return "s3://bucket/analysis_config.json"

    monkeypatch.setattr(clarify, "_upload_analysis_config", keep)
    monkeypatch.setattr(clarify.SageMakerClarifyProcessor, "__init__", lambda self: None)
    monkeypatch.setattr(clarify.Processor, "run", lambda self, **_: None)
    processor = clarify.SageMakerClarifyProcessor()
    processor.job_name_prefix, processor.sagemaker_session = "explain", None
    processor.skip_early_validation = False
    processor.run_explainability(
        clarify.DataConfig("s3://bucket/data.csv", "s3://bucket/out", label="Rings", headers=HEADERS),
        model(),
        clarify.SHAPConfig(baseline=BASELINE, num_samples=20, agg_method="mean_abs"),
    )
    path = tmp_path / "analysis_config.json"
    path.write_text(uploaded["document"])

    found = load_configuration(path)

    assert isinstance(found, AnalysisConfiguration)
    assert found.methods.shap is not None
    assert found.methods.shap.num_samples == 20


REGRESSIONS = [spec for spec in load_workloads("workloads") if isinstance(spec, RegressionWorkload)]


@pytest.mark.parametrize("spec", REGRESSIONS, ids=lambda spec: spec.name)
def test_configuration_that_the_workflow_writes_is_read(spec: RegressionWorkload) -> None:
    found = read_configuration(analysis_configuration(spec.plan(), model="m", instance_type="ml.m5.large"))

    assert found.methods.shap is not None
    assert found.headers is not None
    assert set(found.headers) == {spec.plan().target, *spec.plan().feature_names}


def schema_paths(node: Any, section: str) -> set[str]:
    """Return the paths of all keys of Clarify's schema, but those below what is refused as a whole."""
    found = set()
    if isinstance(node, Or):
        parts = [part for part in node.args if isinstance(part, dict | list)]
        return set().union(*(schema_paths(part, section) for part in parts)) if section == "facet" else set()
    if isinstance(node, list):
        return set().union(*(schema_paths(part, section) for part in node if isinstance(part, dict)))
    for key, value in node.items():
        name = key.schema if isinstance(key, SchemaOptional) else key
        path = f"{section}.{name}" if section else name
        found.add(path)
        if path not in REFUSED and isinstance(value, dict | list) and name != "headers":
            found |= schema_paths(value, path)
    return found


def test_every_key_of_clarifys_schema_is_honoured_or_refused_by_name() -> None:
    assert isinstance(clarify.ANALYSIS_CONFIG_SCHEMA_V1_0, Schema)
    known = schema_paths(clarify.ANALYSIS_CONFIG_SCHEMA_V1_0.schema, "")
    ours = honoured_keys(AnalysisConfiguration) | set(REFUSED)

    assert known == ours


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (minimal(lable="Rings"), "lable: unknown key; did you mean 'label'?"),
        (shap(nsamples=3), "methods.shap.nsamples: unknown key; did you mean 'num_samples'?"),
        (shap(zzz=3), "methods.shap.zzz: unknown key; allowed: baseline, num_clusters"),
        (minimal(predictor={**PREDICTOR, "modelname": 1}), "predictor.modelname: unknown key; did you mean"),
        (shap(baseline=BASELINE, num_clusters=2), "methods.shap.num_clusters: contradicts baseline"),
        (shap(num_samples=0), "methods.shap.num_samples: 0 is not a whole number of at least 1"),
        (shap(num_samples=True), "methods.shap.num_samples: true is not a whole number"),
        (shap(seed=-1), "methods.shap.seed: -1 is not between 0 and 4294967295"),
        (
            shap(agg_method="mean"),
            'methods.shap.agg_method: "mean" is not known; use mean_abs, median, mean_sq',
        ),
        (shap(use_logit="yes"), 'methods.shap.use_logit: "yes" is not true or false'),
        (
            shap(baseline="baseline.csv"),
            'methods.shap.baseline: "baseline.csv" is neither rows nor an S3 URI',
        ),
        (shap(baseline=[]), "methods.shap.baseline: [] is neither a list of rows nor an S3 URI"),
        (shap(baseline=[[1], [1, 2]]), "methods.shap.baseline: its rows differ in length"),
        (shap(baseline=[[{}]]), "methods.shap.baseline: a cell is neither a number nor text"),
        (
            shap(text_config={"granularity": "token"}),
            "methods.shap.text_config: not supported: explanations of text",
        ),
        (
            shap(features_to_explain=["Sex"]),
            "methods.shap.features_to_explain: not supported: the values of some",
        ),
        (minimal(label="Ring"), "label: there is no column 'Ring'; headers: Rings, Sex, Length, ShellWeight"),
        (minimal(label=9), "label: there is no column 9; there are 4, from 0"),
        (minimal(headers=["a", "a"], label="a"), 'headers: "a" is there twice'),
        (
            minimal(dataset_type="application/json"),
            'dataset_type: "application/json" is not supported; use text/csv',
        ),
        (minimal(dataset_uri="s3://b/d"), "dataset_uri: not supported: this job reads its input channel"),
        (minimal(methods={"report": {}}), "methods: nothing to compute"),
        (minimal(methods=[]), "methods: [] is not an object"),
        (minimal(methods={"pdp": {}}), "methods.pdp.features: missing"),
        (
            minimal(methods={"shap": {}, "report": {"name": "../x"}}),
            'methods.report.name: "../x" is not a file name',
        ),
        (
            minimal(predictor={**PREDICTOR, "endpoint_name": "e"}),
            "predictor.model_name: contradicts endpoint_name",
        ),
        (minimal(predictor={"model_name": "m"}), "predictor.instance_type: missing; the shadow endpoint"),
        (minimal(predictor={"instance_type": "ml.m5.large"}), "predictor.instance_type: needs model_name"),
        (minimal(predictor={**PREDICTOR, "accelerator_type": "a"}), "Elastic Inference"),
        (
            minimal(predictor={**PREDICTOR, "content_type": "image/png"}),
            'predictor.content_type: "image/png" is not',
        ),
        (
            minimal(
                predictor={**PREDICTOR, "content_type": "application/jsonlines", "content_template": "{}"}
            ),
            'predictor.content_template: "{}" must have the placeholder $features once',
        ),
        (
            minimal(
                predictor={**PREDICTOR, "content_type": "application/json", "content_template": "$records"}
            ),
            "predictor.record_template: missing",
        ),
        (
            minimal(predictor={**PREDICTOR, "label": "score"}),
            'predictor.label: "score" is not a column\'s index',
        ),
        (with_bias(facet=None), "facet: missing; the bias metrics need it"),
        (with_bias(label=None), "label: missing; the bias metrics need it"),
        (with_bias(facet=[{"value_or_threshold": [1]}]), "facet.name_or_index: missing"),
        (with_bias(facet=[{"name_or_index": "Age"}]), "facet.name_or_index: there is no column 'Age'"),
        (with_bias(group_variable="Age"), "group_variable: there is no column 'Age'"),
        (
            with_bias(methods={"post_training_bias": {"methods": ["DPPL", "XX"]}}),
            'methods.post_training_bias.methods: metric "XX" is not known; use all, or AD',
        ),
    ],
)
def test_wrong_configuration_is_refused_by_key_value_and_remedy(document: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_configuration(document)

    assert said in str(caught.value)


def test_all_mistakes_are_reported_at_once() -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_configuration(minimal(label="x", methods={"shap": {"num_samples": 0, "agg": 1}}, version="9"))

    for key in ("label:", "methods.shap.num_samples:", "methods.shap.agg:", "version:"):
        assert key in str(caught.value)


def test_file_that_is_no_json_object_is_refused(tmp_path: Any) -> None:
    path = tmp_path / "analysis_config.json"
    for text, said in (("{", "is not JSON"), ("[]", "is not a JSON object")):
        path.write_text(text)
        with pytest.raises(InvalidInputError, match=said):
            load_configuration(path)
