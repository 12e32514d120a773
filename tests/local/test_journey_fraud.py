"""Card fraud: Spark makes a graph, a model is trained and deployed, the API answers, a label comes back."""

import gzip
import json
from itertools import islice

import pytest

from tests.local.laptop import Laptop
from tests.local.training import train
from tests.local.transactions import DAYS, WORKLOAD, WORLD, FraudTraining
from watchkeeper.client import ServiceProblemError, TransactionClient
from watchkeeper.fraud.release import FraudRelease

pytestmark = pytest.mark.local


def test_transactions_become_a_graph_a_model_answers_and_a_label_reaches_the_next_training(
    laptop: Laptop, fraud_training: FraudTraining
) -> None:
    outcome, rows = fraud_training.outcome, fraud_training.rows

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
    assert again.status == "SUCCEEDED", again.cause
    assert "EvaluateAgainstChampion" in again.states
    runs = f"runs/{WORKLOAD}/"
    latest = max(key.removeprefix(runs).partition("/")[0] for key in laptop.keys(runs))
    exported = json.loads(laptop.read(f"{runs}{latest}/export.json"))
    lines = gzip.decompress(laptop.read(f"{runs}{latest}/live/part-00000.jsonl.gz")).splitlines()
    live = [json.loads(line) for line in lines]
    ours = {str(each["TransactionID"]) for each in [*sent, new]}
    assert exported["done"]
    assert exported["transactions"] == len(live)
    # the guide of fraud sends and labels one, too
    assert sorted(each["id"] for each in live if each["id"] in ours) == sorted(ours)
    assert {each["id"] for each in live if each["id"] in ours and each["label"]} == {"1"}
    if again.output["decision"]["approved"]:
        assert again.output["graph"] == {"done": True, "new": 0, "known": rows + len(live), "labelled": 0}
    assert client.transaction("1")["label"]["by"] == "investigator"
