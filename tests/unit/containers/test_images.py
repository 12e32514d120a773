"""The parts of the laptop's images that need no image environment."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sagemaker import serializer_utils

from localcloud.images import container
from localcloud.images.randomcutforest.channels import read_channel
from localcloud.images.randomcutforest.hyperparameters import (
    ClientError,
    Hyperparameters,
    parse_hyperparameters,
)
from localcloud.images.randomcutforest.recordio import MalformedRecordError, read_records, write_scores
from localcloud.images.registry import (
    IMAGES_DIRECTORY,
    LocalImage,
    UnknownImageError,
    ensure_environment,
    resolve,
)

CSV_ROWS = {"ContentType": "text/csv;label_size=0"}
CSV_LABELLED = {"ContentType": "text/csv;label_size=1"}
REGISTRY = "683313688378.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        (f"{REGISTRY}/sagemaker-scikit-learn:1.4-2-cpu-py3", "sagemaker-scikit-learn"),
        (f"{REGISTRY}/randomcutforest:1", "randomcutforest"),
        ("randomcutforest", "randomcutforest"),
    ],
)
def test_finds_the_stand_in_of_an_image(tmp_path: Path, uri: str, name: str) -> None:
    image = resolve(uri, tmp_path)
    assert image.name == name
    assert image.environment.parent == tmp_path
    assert image.train[0] == image.serve[0] == str(image.python)
    assert Path(image.serve[1]).resolve() == IMAGES_DIRECTORY / "launch.py"


@pytest.mark.parametrize("uri", ["xgboost:1", f"{REGISTRY}/sagemaker-scikit-learn:0.23-1-cpu-py3", "", "a b"])
def test_says_which_images_the_laptop_has(tmp_path: Path, uri: str) -> None:
    with pytest.raises(UnknownImageError, match="it has randomcutforest:1"):
        resolve(uri, tmp_path)


def test_environment_of_other_requirements_has_another_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "images" / "example"
    folder.mkdir(parents=True)
    description = {
        "name": "example",
        "repositories": ["example"],
        "tags": ["1"],
        "requirements": "requirements.txt",
        "sources": "sources.txt",
    }
    (folder / "image.json").write_text(json.dumps({**description, "train": [], "serve": ["{python}"]}))
    monkeypatch.setattr("localcloud.images.registry.IMAGES_DIRECTORY", tmp_path / "images")
    names = set()
    for pins, sources in (("numpy==1.0\n", ""), ("numpy==1.1\n", ""), ("numpy==1.0\n", "toolkit==1\n")) * 2:
        (folder / "requirements.txt").write_text(pins)
        (folder / "sources.txt").write_text(sources)
        names.add(resolve("example:1", tmp_path).environment.name)
    assert len(names) == 3


def test_corrections_are_written_beside_what_the_installer_linked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "images" / "example"
    folder.mkdir(parents=True)
    description = {
        "name": "example",
        "repositories": ["example"],
        "tags": ["1"],
        "requirements": "requirements.txt",
        "modules": {"empty.py": ""},
        "replacements": {"old.py": {"collections.Mapping": "collections.abc.Mapping"}},
    }
    (folder / "image.json").write_text(json.dumps({**description, "train": [], "serve": []}))
    (folder / "requirements.txt").write_text("")
    cached = tmp_path / "old.py"
    cached.write_text("collections.Mapping")
    monkeypatch.setattr("localcloud.images.registry.IMAGES_DIRECTORY", tmp_path / "images")
    image = resolve("example:1", tmp_path)
    packages = image.environment / "lib" / "python3" / "site-packages"

    def install(_: LocalImage, command: list[str]) -> None:
        if not packages.exists():
            packages.mkdir(parents=True)
            (packages / "old.py").hardlink_to(cached)

    monkeypatch.setattr("localcloud.images.registry._run", install)
    ensure_environment(image)

    assert (packages / "empty.py").read_text() == ""
    assert (packages / "old.py").read_text() == "collections.abc.Mapping"
    assert cached.read_text() == "collections.Mapping"


def test_opt_ml_means_the_root_of_the_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", "/opt/ml/model/code")
    container.localize_environment()
    container.localize_environment()
    assert container.localized({"a": ["/opt/ml/input", 1]}) == {"a": [f"{tmp_path}/input", 1]}
    assert container.os.environ["PYTHONPATH"] == f"{tmp_path}/model/code"


@given(
    st.lists(st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=5), min_size=1, max_size=5),
    st.sampled_from(["float32", "float64"]),
)
def test_reads_what_amazons_writer_writes(rows: list[list[float]], dtype: str) -> None:
    width = min(map(len, rows))
    array = np.array([row[:width] for row in rows], dtype=dtype)
    packed = io.BytesIO()
    serializer_utils.write_numpy_to_dense_tensor(packed, array, labels=np.ones(len(rows), dtype=dtype))
    records = list(read_records(packed.getvalue()))
    np.testing.assert_array_equal([features for features, _ in records], array)
    assert [list(labels) for _, labels in records] == [[1.0]] * len(rows)


def test_reads_negative_whole_numbers() -> None:
    packed = io.BytesIO()
    serializer_utils.write_numpy_to_dense_tensor(packed, np.array([[-3, 7]]))
    ((features, _),) = read_records(packed.getvalue())
    assert list(features) == [-3.0, 7.0]


@given(st.binary(max_size=60))
def test_any_bytes_are_records_or_refused(content: bytes) -> None:
    frame = b"\x0a\x23\xd7\xce" + len(content).to_bytes(4, "little") + content + b"\0" * (-len(content) % 4)
    for payload in (content, frame):
        with contextlib.suppress(MalformedRecordError):  # either is right; any other error is not
            assert all(features.ndim == 1 for features, _ in read_records(payload))


def test_every_score_is_one_record() -> None:
    frames = list(serializer_utils.read_recordio(io.BytesIO(write_scores(np.array([0.25, 2.0], np.float32)))))
    assert len(frames) == 2


def test_hyperparameters_have_amazons_defaults() -> None:
    assert parse_hyperparameters({"feature_dim": "3"}) == Hyperparameters(3, 100, 256)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, "No value.* 'feature_dim'"),
        ({"feature_dim": "0"}, r"0 is not in the range \[1, 10000\]"),
        ({"feature_dim": "2.5"}, "'2.5' is not of type 'integer'"),
        ({"feature_dim": "2", "num_trees": "1001"}, "'num_trees'"),
        ({"feature_dim": "2", "num_samples_per_tree": "2049"}, r"\[1, 2048\]"),
        ({"feature_dim": "2", "eval_metrics": "accuracy"}, "not of type 'array'"),
        ({"feature_dim": "2", "eval_metrics": '["auc"]'}, "not an array of accuracy"),
        ({"feature_dim": "2", "trees": "50"}, "'trees' was unexpected"),
    ],
)
def test_hyperparameter_out_of_contract_is_named(document: dict[str, str], said: str) -> None:
    with pytest.raises(ClientError, match=said):
        parse_hyperparameters(document)


@pytest.mark.parametrize(
    ("name", "config", "content", "said"),
    [
        ("train", {"ContentType": "text/csv"}, "1,2\n", "needs the content type 'text/csv;label_size=0'"),
        (
            "train",
            {"ContentType": "text/html"},
            "1,2\n",
            "'text/html' of the channel 'train' is not supported",
        ),
        ("train", {"S3DistributionType": "FullyReplicated"}, "1,2\n", "ShardedByS3Key"),
        ("train", CSV_ROWS, "1,2\n1\n", "rows.csv, line 2: 1 columns"),
        ("train", CSV_ROWS, "1,inf\n", "rows.csv, line 1: a value is not finite"),
        ("train", CSV_ROWS, "1,a\n", "rows.csv, line 1: could not convert"),
        ("test", CSV_LABELLED, "1,2\n", "line 1: 2 columns; 'feature_dim' asks for 3"),
    ],
)
def test_channel_out_of_contract_is_refused(
    tmp_path: Path, name: str, config: dict[str, str], content: str, said: str
) -> None:
    (tmp_path / "rows.csv").write_text(content)
    with pytest.raises(ClientError, match=said):
        read_channel(name, tmp_path, config, 2)


def test_test_channel_has_its_label_in_front(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("1,2,3\n\n0,4,5\n")
    features, labels = read_channel("test", tmp_path, {"ContentType": "text/csv;label_size=1"}, 2)
    assert features.tolist() == [[2.0, 3.0], [4.0, 5.0]]
    assert labels.tolist() == [1.0, 0.0]
