"""The endpoint's adapter: the request it sends, and what it makes of every kind of answer."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from lambdas.adapters import clients
from lambdas.adapters.endpoint import RowRefusedError, SageMakerEndpoint, explained_scores_in, scores_in
from watchkeeper.core.errors import ContractViolationError, UnavailableError

ROWS = ["2024-01-01T00:00:00Z,pressure,1.0", "2024-01-01T00:01:00Z,pressure,2.0"]


@pytest.fixture
def stub(aws: object) -> Iterator[Stubber]:
    with Stubber(clients.sagemaker_runtime()) as stubber:
        yield stubber


def answer(body: bytes) -> dict[str, Any]:
    return {
        "Body": StreamingBody(io.BytesIO(body), len(body)),
        "ContentType": "application/json",
        "InvokedProductionVariant": "primary",
    }


def score(rows: list[str]) -> tuple[float, ...]:
    return SageMakerEndpoint(clients.sagemaker_runtime()).score("watchkeeper-pump", rows)


def test_sends_csv_and_reads_scores(stub: Stubber) -> None:
    stub.add_response(
        "invoke_endpoint",
        answer(b'{"scores":[{"score":0.5},{"score":0}]}'),
        {
            "EndpointName": "watchkeeper-pump",
            "ContentType": "text/csv",
            "Accept": "application/json",
            "Body": "\n".join(ROWS).encode(),
        },
    )
    assert score(ROWS) == (0.5, 0.0)


def test_fewer_scores_than_rows_is_a_contract_violation(stub: Stubber) -> None:
    stub.add_response("invoke_endpoint", answer(b'{"scores":[{"score":0.5}]}'))
    with pytest.raises(ContractViolationError, match="gave 1 scores for 2 rows"):
        score(ROWS)


@pytest.mark.parametrize(
    "body", [b"", b"null", b"{}", b'{"scores":[0.5]}', b'{"scores":[{"score":"high"}]}', b'{"scores":3}']
)
def test_other_answers_are_contract_violations(body: bytes) -> None:
    with pytest.raises(ContractViolationError, match="answered"):
        scores_in(body, "watchkeeper-pump")


def test_a_model_is_asked_for_contributions_by_what_is_accepted(stub: Stubber) -> None:
    parts = [{"feature": "range", "measure": "pressure", "lag": 0, "score": 0.3}]
    parts.append({"feature": "level", "measure": "pressure", "lag": None, "score": 0.2})
    stub.add_response(
        "invoke_endpoint",
        answer(json.dumps({"scores": [{"score": 0.5, "contributions": parts}]}).encode()),
        {
            "EndpointName": "watchkeeper-pump",
            "ContentType": "text/csv",
            "Accept": "application/json;contributions=true",
            "Body": ROWS[0].encode(),
        },
    )
    (explained,) = SageMakerEndpoint(clients.sagemaker_runtime()).explain("watchkeeper-pump", ROWS[:1])
    assert explained.score == 0.5
    assert [part.key for part in explained.contributions] == ["pressure range[lag 0]", "pressure level"]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ('{"score":0.5}', "does not explain"),
        ('{"score":0.5,"contributions":[{"share":1}]}', "does not explain"),
        ('{"score":0.5,"contributions":[]}', "explains 0 of the score 0.5"),
    ],
)
def test_an_answer_without_whole_contributions_is_a_contract_violation(entry: str, said: str) -> None:
    with pytest.raises(ContractViolationError, match=said):
        explained_scores_in(f'{{"scores":[{entry}]}}'.encode(), "watchkeeper-pump")


@pytest.mark.parametrize("bad", ["-0.1", "NaN", "Infinity"])
def test_a_score_is_finite_and_not_negative(bad: str) -> None:
    with pytest.raises(ContractViolationError, match="gave row 1 the score"):
        scores_in(f'{{"scores":[{{"score":1}},{{"score":{bad}}}]}}'.encode(), "watchkeeper-pump")


@pytest.mark.parametrize(
    ("message", "record"),
    [
        ("record 2: 'warm' is not a number", 1),
        ("the payload has no record", None),
        ("see record 2: here", None),
        ("record 0: impossible", None),
        (json.dumps({"error": "bad row"}), None),
    ],
)
def test_refusal_names_its_row_where_the_model_does(stub: Stubber, message: str, record: int | None) -> None:
    model_error(stub, 400, message)
    with pytest.raises(RowRefusedError) as refused:
        score(ROWS)
    assert (str(refused.value), refused.value.record) == (message, record)


@pytest.mark.parametrize("status", [400, 500])
def test_a_containers_traceback_is_not_told(stub: Stubber, status: int) -> None:
    model_error(stub, status, 'record 1: bad\nTraceback (most recent call last):\n  File "serve.py"')
    with pytest.raises((RowRefusedError, UnavailableError), match=r"record 1: bad$"):
        score(ROWS)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_failing_model_is_unavailable(stub: Stubber, status: int) -> None:
    model_error(stub, status, "out of memory")
    with pytest.raises(UnavailableError, match=f"answered {status}: out of memory"):
        score(ROWS)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ThrottlingException", 400),
        ("ServiceUnavailable", 503),
        ("ModelNotReadyException", 429),
        ("InternalFailure", 500),
        ("ValidationError", 400),
    ],
)
def test_absent_or_busy_endpoint_is_unavailable(stub: Stubber, code: str, status: int) -> None:
    stub.add_client_error("invoke_endpoint", code, "not now", http_status_code=status)
    with pytest.raises(UnavailableError, match="endpoint watchkeeper-pump"):
        score(ROWS)


def test_missing_permission_is_a_contract_violation(stub: Stubber) -> None:
    stub.add_client_error("invoke_endpoint", "AccessDeniedException", "no", http_status_code=403)
    with pytest.raises(ContractViolationError, match="invoke endpoint watchkeeper-pump"):
        score(ROWS)


@pytest.mark.parametrize("lost", [ReadTimeoutError(endpoint_url="u"), ConnectTimeoutError(endpoint_url="u")])
def test_lost_connection_is_unavailable(lost: Exception) -> None:
    class LosingClient:
        def invoke_endpoint(self, **arguments: object) -> None:
            raise lost

    with pytest.raises(UnavailableError, match="invoke endpoint e"):
        SageMakerEndpoint(LosingClient()).score("e", ROWS)  # type: ignore[arg-type]  # a client with one call


def model_error(stub: Stubber, status: int, message: str) -> None:
    stub.add_client_error(
        "invoke_endpoint",
        "ModelError",
        "Received an error from primary",
        http_status_code=424,
        modeled_fields={"OriginalStatusCode": status, "OriginalMessage": message},
    )
