"""The real processes of both images, one behind the other, on real telemetry."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
from sagemaker import serializer_utils
from sagemaker.amazon.record_pb2 import Record

from tests.contract.containers.conftest import Pipeline
from tests.contract.containers.laptop import (
    RCF,
    SKLEARN,
    JobFailedError,
    code_archive,
    run_processing,
    run_training,
    serve_preprocessor,
    train_forest,
)
from watchkeeper.detectors.forest.surrogate import SURROGATE_NAME, SurrogateForest
from watchkeeper.features.matrix import feature_dim
from watchkeeper.lifecycle.manifest import MANIFEST_NAME
from watchkeeper.telemetry.rows import parse_rows

RECORDIO = "application/x-recordio-protobuf"
OVERSIZED = b"1" * (6 * 1024**2 + 1)


def scores_of(body: bytes) -> list[float]:
    return [answer["score"] for answer in json.loads(body)["scores"]]


def feature_lines(pipeline: Pipeline, count: int) -> list[str]:
    return pipeline.features.read_text().splitlines()[:count]


def holdback_rows(pipeline: Pipeline, count: int) -> list[str]:
    return (pipeline.prepared / "holdback" / "rows.csv").read_text().splitlines()[:count]


def test_answers_the_known_payload_with_one_score(pipeline: Pipeline) -> None:
    reply = pipeline.score("2013-12-02 21:15:00, 75")
    assert (reply.status, reply.content_type) == (200, "application/json")
    (score,) = scores_of(reply.body)
    assert score > 0.0


def test_csv_is_accepted_and_answered_with_json_as_on_aws(pipeline: Pipeline) -> None:
    reply = pipeline.score("2013-12-02 21:15:00, 75", accept="text/csv")

    assert (reply.status, reply.content_type) == (200, "application/json")
    assert reply.body == pipeline.score("2013-12-02 21:15:00, 75").body


def test_answers_a_thousand_rows_with_a_thousand_scores_in_order(pipeline: Pipeline) -> None:
    rows = (pipeline.prepared / "train" / "rows.csv").read_text().splitlines()
    rows = (rows + holdback_rows(pipeline, 1000))[:1000]
    assert len(rows) == 1000
    together = scores_of(pipeline.score("\n".join(rows)).body)
    alone = [scores_of(pipeline.score(row).body)[0] for row in rows[::25]]
    assert len(together) == 1000
    assert together[::25] == alone
    assert scores_of(pipeline.score("\n".join(reversed(rows))).body) == together[::-1]


def test_answers_json_lines_without_a_stray_line(pipeline: Pipeline) -> None:
    rows = holdback_rows(pipeline, 7)
    reply = pipeline.score("\n".join(rows) + "\n", accept="application/jsonlines")
    assert reply.content_type == "application/jsonlines"
    assert [json.loads(line)["score"] for line in reply.text.split("\n")] == scores_of(
        pipeline.score("\n".join(rows)).body
    )


def test_scores_are_the_same_whatever_the_content_type(pipeline: Pipeline) -> None:
    lines = feature_lines(pipeline, 50)
    vectors = [[float(cell) for cell in line.split(",")] for line in lines]
    packed = io.BytesIO()
    serializer_utils.write_numpy_to_dense_tensor(packed, np.array(vectors))
    expected = scores_of(pipeline.forest.post("\n".join(lines), "text/csv").body)
    requests = {
        "text/csv;label_size=0": "\n".join(lines),
        "application/json": json.dumps({"instances": [{"features": vector} for vector in vectors]}),
        "application/jsonlines": "\n".join(
            json.dumps({"data": {"features": {"values": vector}}}) for vector in vectors
        ),
        RECORDIO: packed.getvalue(),
    }
    for content_type, body in requests.items():
        reply = pipeline.forest.post(body, content_type, "application/json")
        assert reply.status == 200, reply.text
        np.testing.assert_allclose(scores_of(reply.body), expected, atol=1e-9)


def test_record_answers_are_what_amazons_own_reader_reads(pipeline: Pipeline) -> None:
    body = "\n".join(feature_lines(pipeline, 5))
    reply = pipeline.forest.post(body, "text/csv", RECORDIO)
    assert reply.content_type == RECORDIO
    records = [Record.FromString(frame) for frame in serializer_utils.read_recordio(io.BytesIO(reply.body))]
    scores = [record.label["score"].float32_tensor.values[0] for record in records]
    np.testing.assert_allclose(scores, scores_of(pipeline.forest.post(body, "text/csv").body), atol=1e-9)


def test_rows_become_the_same_features_whatever_the_content_type(pipeline: Pipeline) -> None:
    rows = holdback_rows(pipeline, 3)
    cells = [row.split(",") for row in rows]
    records = [
        {"timestamp": time, "series": series, "value": float(value), "lags": [float(lag) for lag in lags]}
        for time, series, value, *lags in cells
    ]
    expected = pipeline.preprocessor.post("\n".join(rows), "text/csv").text
    assert expected.count("\n") == 2
    for body, content_type in [
        (json.dumps({"instances": records}), "application/json"),
        (json.dumps({"instances": [{"features": row} for row in cells]}), "application/json"),
        ("\n".join(map(json.dumps, records)) + "\n", "application/jsonlines"),
    ]:
        reply = pipeline.preprocessor.post(body, content_type, "application/json")
        assert (reply.status, reply.content_type) == (200, "text/csv; charset=utf-8")
        assert reply.text == expected


def test_lags_beyond_the_vectors_are_not_looked_at(pipeline: Pipeline) -> None:
    known = pipeline.score("2013-12-02 21:15:00,5,4,3,2")

    assert pipeline.score("2013-12-02 21:15:00,5,4,3,2,100,-100").body == known.body


@pytest.mark.parametrize(
    ("body", "content_type", "status", "said"),
    [
        (b"2013-12-02,1\n2013-12-03,nan", "text/csv", 400, "record 2: value: 'nan' is not finite"),
        (b"2013-12-02,1\nnot a time,2", "text/csv", 400, "record 2"),
        (b"2013-12-02,1\n\n2013-12-03,1", "text/csv", 400, "record 2: empty line"),
        (b"2013-12-02", "text/csv", 400, "record 1"),
        (b"123412 465125", "text/csv", 400, "record 1: '123412 465125' is several numbers: records are sep"),
        (b"123412", "text/csv", 400, "record 1: expected timestamp,value"),
        (b"2013-12-02,1\n2013-12-02,pressure,1", "text/csv", 400, "record 2: series 'pressure'"),
        (b"", "text/csv", 400, "no record"),
        (b"\xff\xfe", "text/csv", 400, "record 1"),
        (b"\xff\xfe", "text/csv; charset=utf-8", 400, "cannot be read"),
        (b'{"instances": 1}', "application/json", 400, "instances"),
        (
            b'{"instances": [{"timestamp": "2013-12-02"}]}',
            "application/json",
            400,
            "record 1: no field 'value'",
        ),
        (b'{"instances": [{"features": ["2013-12-02", true]}]}', "application/json", 400, "record 1: True"),
        (b"{", "application/json", 400, "not JSON"),
        (b'{"features": ["2013-12-02", 1]}\n{', "application/jsonlines", 400, "record 2: not JSON"),
        (b"[" * 100_000, "application/json", 400, "cannot be read"),
        (b"x", "image/png", 415, "image/png"),
        (OVERSIZED, "text/csv", 413, "6291456"),
    ],
)
def test_preprocessor_refuses_a_bad_request_and_names_the_record(
    pipeline: Pipeline, body: bytes, content_type: str, status: int, said: str
) -> None:
    reply = pipeline.preprocessor.post(body, content_type)
    assert reply.status == status, reply.text
    assert said in reply.text
    assert len(reply.text.splitlines()) == 1


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "status", "said"),
    [
        (b"GOOD\n1,2", "text/csv", None, 400, "record 2 has 2 features"),
        (b"GOOD\nnan,1,1,1,1,1,1,1,1", "text/csv", None, 400, "record 2, feature 1 is not a finite"),
        (b"1e39,1,1,1,1,1,1,1,1", "text/csv", None, 400, "record 1, feature 1 is not a finite"),
        (b"GOOD\na,1,1,1,1,1,1,1,1", "text/csv", None, 400, "record 2 does not parse"),
        (b"", "text/csv", None, 400, "no record"),
        (b"\n\n", "text/csv", None, 400, "no record"),
        (b'{"instances": []}', "application/json", None, 400, "no record"),
        (
            b'{"instances": [{"features": [1, "2"]}]}',
            "application/json",
            None,
            400,
            "record 1 does not parse",
        ),
        (b'{"instances": [{}]}', "application/json", None, 400, "record 1 does not parse"),
        (b"[]", "application/json", None, 400, "does not parse"),
        (b"[" * 100_000, "application/json", None, 400, "does not parse"),
        (b'{"features": [1, null]}', "application/jsonlines", None, 400, "record 1 does not parse"),
        (b"not records", RECORDIO, None, 400, "record 1 does not parse"),
        (b"\x0a\x23\xd7\xce\xff\x00\x00\x00", RECORDIO, None, 400, "the frame says 255 bytes"),
        (b"x", "application/octet-stream", None, 415, "application/octet-stream"),
        (b"GOOD", "text/csv", "text/html", 406, "text/html"),
        (OVERSIZED, "text/csv", None, 413, "6291456"),
    ],
)
def test_forest_refuses_a_bad_request_and_names_the_record(
    pipeline: Pipeline, body: bytes, content_type: str, accept: str | None, status: int, said: str
) -> None:
    body = body.replace(b"GOOD", feature_lines(pipeline, 1)[0].encode())
    reply = pipeline.forest.post(body, content_type, accept)
    assert reply.status == status, reply.text
    assert said in reply.text


def test_a_refused_request_leaves_the_container_serving(pipeline: Pipeline) -> None:
    assert pipeline.preprocessor.post(OVERSIZED, "text/csv").status == 413
    assert pipeline.forest.post(OVERSIZED, "text/csv").status == 413
    assert pipeline.score("2013-12-02 21:15:00, 75").status == 200


def test_forest_says_how_batch_transform_may_use_it(pipeline: Pipeline) -> None:
    parameters = json.loads(pipeline.forest.get("/execution-parameters").body)
    assert parameters["MaxPayloadInMB"] == 6
    assert parameters["BatchStrategy"] == "MULTI_RECORD"
    assert pipeline.preprocessor.get("/execution-parameters").status == 404


def test_training_the_forest_twice_gives_the_same_scores(pipeline: Pipeline, tmp_path: Path) -> None:
    again = train_forest(
        tmp_path / "again", pipeline.features, {"feature_dim": str(feature_dim(pipeline.plan))}
    )
    assert _members(again) == _members(pipeline.forest_archive)


def test_training_reports_what_is_wrong_with_a_hyperparameter(pipeline: Pipeline, tmp_path: Path) -> None:
    with pytest.raises(
        JobFailedError, match=r"^ClientError: 49 is not in the range \[50, 1000\] .*'num_trees'"
    ):
        train_forest(tmp_path / "forest", pipeline.features, {"feature_dim": "9", "num_trees": "49"})


def test_training_reports_the_line_of_another_width(pipeline: Pipeline, tmp_path: Path) -> None:
    with pytest.raises(
        JobFailedError, match=r"^ClientError: rows.csv.out, line 1: 9 columns; 'feature_dim' asks for 8"
    ):
        train_forest(tmp_path / "forest", pipeline.features, {"feature_dim": "8"})


def test_training_the_preprocessor_refuses_an_unknown_hyperparameter(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    channels = {
        "train": pipeline.prepared / "train" / "rows.csv",
        "plan": pipeline.plan_file,
        "code": code_archive(),
    }
    hyperparameters = {
        "sagemaker_program": "train_preprocessor.py",
        "sagemaker_submit_directory": "/opt/ml/input/data/code/sourcedir.tar.gz",
        "num_trees": "5",
    }
    with pytest.raises(
        JobFailedError, match=r"^InvalidInputError: unknown hyperparameter 'num_trees'; allowed: none$"
    ):
        run_training(tmp_path / "job", SKLEARN, channels, hyperparameters)


def test_model_of_another_schema_does_not_start(pipeline: Pipeline, tmp_path: Path) -> None:
    model = tmp_path / "model"
    with tarfile.open(pipeline.preprocessor_archive) as archive:
        archive.extractall(model, filter="data")
    manifest = json.loads((model / MANIFEST_NAME).read_text())
    (model / MANIFEST_NAME).write_text(json.dumps({**manifest, "schema_hash": "0" * 16}))
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        archive.add(model, ".")
    container = serve_preprocessor(tmp_path / "serve", tmp_path / "model.tar.gz")
    with pytest.raises(JobFailedError, match="ended with 1"), container:
        pass


def test_preparing_too_little_history_says_how_much_is_needed(pipeline: Pipeline, tmp_path: Path) -> None:
    history = tmp_path / "history"
    history.mkdir()
    lines = (pipeline.history / "water-flow.csv").read_text().splitlines()[:61]
    (history / "short.csv").write_text("\n".join(lines))
    with pytest.raises(
        JobFailedError, match=r"too little history: 60 intervals of 3600 s, at least 167 are needed"
    ):
        run_processing(
            tmp_path / "job", "anomaly.prepare", {"plan": pipeline.plan_file, "history": history}, {}
        )


def test_evaluation_is_written_whole(pipeline: Pipeline, tmp_path: Path) -> None:
    candidate, rows = _scores_of_holdback(pipeline, tmp_path)
    inputs = {
        "plan": pipeline.plan_file,
        "prepared": pipeline.prepared,
        "candidate": candidate,
        "champion": candidate,
    }
    output = (
        run_processing(tmp_path / "job", "anomaly.evaluate", inputs, {"WATCHKEEPER_RUN_ID": "r-1"})
        / "evaluation"
    )
    evaluation = json.loads((output / "evaluation.json").read_text())
    assert evaluation["run_id"] == "r-1"
    assert evaluation["champion"]["f1"] == evaluation["candidate"]["f1"]
    assert evaluation["threshold"]["value"] > 0.0
    assert sum(evaluation["census"]["measures"].values()) == len(evaluation["step_scales"])
    assert list(evaluation["census"]["series"]) == sorted(evaluation["step_scales"])
    smoke = json.loads((output / "smoke.json").read_text())
    answered = scores_of(pipeline.score("\n".join(smoke["rows"])).body)
    np.testing.assert_allclose(answered, smoke["scores"], atol=smoke["tolerance"])
    assert set(smoke["rows"]) <= set(rows)
    explainer = evaluation["explainer"]
    assert explainer["method"] == "forest"
    assert explainer["rank_agreement"] > 0.8
    assert explainer["rows"] == len(rows[:: -(-len(rows) // 2000)])
    explained = SurrogateForest.from_bytes((output / SURROGATE_NAME).read_bytes()).explain(
        next(parse_rows(smoke["rows"][-1:])), smoke["scores"][-1]
    )
    assert sum(part.score for part in explained.contributions) == pytest.approx(smoke["scores"][-1])
    assert explained.explanation.surrogate_score == pytest.approx(smoke["scores"][-1], rel=0.2)
    chart = (output / "charts" / "flow.png").read_bytes()
    assert chart.startswith(b"\x89PNG")


def test_evaluating_too_few_scores_fails(pipeline: Pipeline, tmp_path: Path) -> None:
    candidate, rows = _scores_of_holdback(pipeline, tmp_path)
    file = candidate / "rows.csv.out"
    file.write_text("\n".join(file.read_text().splitlines()[:-1]))
    inputs = {"plan": pipeline.plan_file, "prepared": pipeline.prepared, "candidate": candidate}
    with pytest.raises(
        JobFailedError, match=f"^ContractViolationError: .*{len(rows) - 1} scores for {len(rows)} rows"
    ):
        run_processing(tmp_path / "job", "anomaly.evaluate", inputs, {"WATCHKEEPER_RUN_ID": "r-1"})


def test_forest_refuses_a_replicated_training_channel(pipeline: Pipeline, tmp_path: Path) -> None:
    config = {"train": {"ContentType": "text/csv;label_size=0", "S3DistributionType": "FullyReplicated"}}
    with pytest.raises(JobFailedError, match="S3DataDistributionType=ShardedByS3Key"):
        run_training(tmp_path / "job", RCF, {"train": pipeline.features}, {"feature_dim": "9"}, config)


def _scores_of_holdback(pipeline: Pipeline, tmp_path: Path) -> tuple[Path, list[str]]:
    rows = holdback_rows(pipeline, 10_000)
    folder = tmp_path / "candidate"
    folder.mkdir()
    answer = pipeline.score("\n".join(rows), accept="application/jsonlines").text
    (folder / "rows.csv.out").write_text(answer)
    return folder, rows


def _members(archive: Path) -> dict[str, bytes]:
    folder = archive.parent / "unpacked"
    shutil.rmtree(folder, ignore_errors=True)
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
