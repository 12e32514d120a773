"""Card fraud: Spark makes a graph, a model is trained and deployed, the API answers, a label comes back."""

import gzip
import json
from itertools import islice
from pathlib import Path

import pytest

from cli.demo.transaction_files import write_history
from cli.train import upload_history
from tests.local.laptop import Laptop
from tests.local.training import train
from watchkeeper.client import ServiceProblemError, TransactionClient
from watchkeeper.fraud.generator import World
from watchkeeper.fraud.release import FraudRelease

pytestmark = pytest.mark.local

WORKLOAD, DAYS = "card_fraud", 40
WORLD = World(seed=3, customers=400, terminals=120, transactions_a_day=120, fraud_share=0.05)


def test_transactions_become_a_graph_a_model_answers_and_a_label_reaches_the_next_training(
    laptop: Laptop, tmp_path: Path
) -> None:
    files = write_history(WORLD, DAYS, tmp_path)
    upload_history(laptop.session, laptop.bucket, WORKLOAD, files, None)
    outcome = train(laptop, WORKLOAD)

    assert (outcome.status, outcome.cause) == ("SUCCEEDED", "")
    order = [
        outcome.states.index(name)
        for name in (
            "ExportTransactions",
            "ProcessTransactions",
            "TrainClassifier",
            "LoadGraph",
            "CreateModel",
        )
    ]
    assert order == sorted(order)
    rows = len(files[0].read_text().splitlines()) - 1
    assert outcome.output["graph"] == {"done": True, "new": rows, "known": 0, "labelled": 0}
    release = laptop.live(WORKLOAD)
    assert isinstance(release, FraudRelease)
    assert release.run_id == outcome.output["run"]["run_id"]

    client = TransactionClient(laptop.service_url, WORKLOAD)
    sent = [each.fields for each in islice(WORLD.stream(DAYS), 5)]
    new = {**sent[-1], "TransactionID": 1, "card1": "never", "DeviceInfo": "seen", "email": "before"}
    answers = client.decide([*sent, new])
    assert [answer["id"] for answer in answers] == [str(each["TransactionID"]) for each in [*sent, new]]
    assert all(0 <= answer["pred_prob"] <= 1 for answer in answers)
    assert all(answer["flag"] == (answer["pred_prob"] >= answer["threshold"]) for answer in answers)
    assert client.decide(sent) == answers[:-1]
    with pytest.raises(ServiceProblemError) as refused:
        client.decide([{**new, "TransactionAmt": 99_999.0}])
    assert refused.value.status == 409

    client.label("1", fraud=True, by="investigator")
    again = train(laptop, WORKLOAD)

    # the same data may give a model that is a little worse: then the champion stays, and that is right
    assert (again.status, again.error) in {("SUCCEEDED", ""), ("FAILED", "ModelRejected")}, again.cause
    assert "EvaluateAgainstChampion" in again.states
    runs = f"runs/{WORKLOAD}/"
    latest = max(key.removeprefix(runs).partition("/")[0] for key in laptop.keys(runs))
    exported = json.loads(laptop.read(f"{runs}{latest}/export.json"))
    assert (exported["done"], exported["transactions"], exported["labelled"]) == (True, 6, 1)
    lines = gzip.decompress(laptop.read(f"{runs}{latest}/live/part-00000.jsonl.gz")).splitlines()
    assert {each["id"]: each["label"] for each in map(json.loads, lines) if each["label"] is not None} == {
        "1": True
    }
    if again.status == "SUCCEEDED":
        assert again.output["graph"] == {"done": True, "new": 0, "known": rows + 6, "labelled": 0}
    assert client.transaction("1")["label"]["by"] == "investigator"
