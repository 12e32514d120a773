"""A small world of card transactions, and the training of a model of it."""

from dataclasses import dataclass
from pathlib import Path

from cli.demo.transaction_files import write_history
from cli.train import upload_history
from tests.local.laptop import Laptop
from tests.local.training import Ended, train
from watchkeeper.fraud.generator import World

WORKLOAD, DAYS = "card_fraud", 40
WORLD = World(seed=7, customers=600, terminals=150, transactions_a_day=300, fraud_share=0.05)


@dataclass(frozen=True)
class FraudTraining:
    """How the first training of the world's history ended."""

    outcome: Ended
    rows: int
    """Transactions of the history."""


def train_world(laptop: Laptop, folder: Path) -> FraudTraining:
    """Upload the world's history and train with it."""
    files = write_history(WORLD, DAYS, folder)
    upload_history(laptop.session, laptop.bucket, WORKLOAD, files, None)
    rows = len(files[0].read_text().splitlines()) - 1
    return FraudTraining(train(laptop, WORKLOAD), rows)
