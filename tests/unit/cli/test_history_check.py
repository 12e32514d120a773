"""Tables of transactions are looked at before they are uploaded, as the Glue job will."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.history_check import check_history
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import TimestampPlan
from watchkeeper.fraud.plan import FraudHistoryPlan, FraudPlan, LabelPlan, RelationPlan, TableFilesPlan

PLAN = FraudPlan(
    workload="w",
    id_field="id",
    timestamp=TimestampPlan("t", "epoch_seconds"),
    amount_field="a",
    label=LabelPlan("fraud"),
    relations=(RelationPlan("card", ("card",)), RelationPlan("device", ("device",))),
    history=FraudHistoryPlan(TableFilesPlan("*transaction*", "*identity*", "id"), max_refused_share=0.5),
)


def files(folder: Path, transactions: str, identities: str = "id,device\n1,phone\n") -> list[Path]:
    found = [folder / "train_transaction.csv", folder / "train_identity.csv"]
    for path, text in zip(found, (transactions, identities), strict=True):
        path.write_text(text)
    return found


def test_two_tables_that_fit_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check_history(PLAN, files(tmp_path, "id,t,a,fraud,card\n1,10,5,0,x\n2,11,-5,0,x\n"))

    said = capsys.readouterr().out.replace("\n", " ")
    assert "2 records, 1 refused (1 negative_amount)" in said


@pytest.mark.parametrize(
    ("transactions", "identities", "message"),
    [
        ("id,t,a,card\n1,1,1,x\n", "id,device\n1,p\n", "the header has no column 'fraud'"),
        ("id,t,a,fraud\n1,1,1,0\n", "id,device\n1,p\n", "the header has no column 'card'"),
        ("id,t,a,fraud,card,device\n1,1,1,0,x,p\n", "id,device\n1,p\n", "'device' is in both tables"),
        ("id,t,a,fraud,card\n1,1,1,0,x\n", "key,device\n1,p\n", "the header has no column 'id'"),
        ("id,t,a,fraud,card\n1,1,-1,0,x\n", "id,device\n", "negative"),
    ],
)
def test_tables_that_training_would_refuse_are_refused_before(
    tmp_path: Path, transactions: str, identities: str, message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        check_history(PLAN, files(tmp_path, transactions, identities))


def test_file_of_neither_table_is_refused_with_the_names_that_are_read(tmp_path: Path) -> None:
    path = tmp_path / "cards.csv"
    path.write_text("id\n1\n")

    with pytest.raises(InvalidInputError, match=r"named '\*transaction\*', and of identities '\*identity\*'"):
        check_history(PLAN, [path])
