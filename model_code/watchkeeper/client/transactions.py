"""The client of the fraud API: transactions in, answers out, labels back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from watchkeeper.client.transport import Transport

PATH = "/fraud/transactions"
MOST_TRANSACTIONS = 100
"""Of one request."""


class TransactionClient:
    """A client of the fraud API for one workload.

    Parameters
    ----------
    url, token, timeout_seconds
        As of `watchkeeper.client.Client`.

    Examples
    --------
    >>> client = TransactionClient("http://localhost:8000", "card_fraud")  # doctest: +SKIP
    >>> client.decide([{"TransactionID": 1, …}])[0]["pred_prob"]  # doctest: +SKIP
    """

    def __init__(
        self,
        url: str,
        workload: str,
        *,
        token: str | Callable[[], str] | None = None,
        timeout_seconds: float = 30.0,
    ) -> None:
        self._transport = Transport(url, token, timeout_seconds)
        self._workload = workload

    def decide(self, transactions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Ask about at most 100 transactions; the answers are in their order.

        The same transaction twice has the same answer, and is in the graph once.

        Raises
        ------
        ServiceProblemError
            If one is not as the workload's file says (422, with the field), or its id is known with other
            content (409); then none is taken.
        UnavailableError
            If the service does not answer; asking again is safe.
        """
        answers: list[dict[str, Any]] = self._call("POST", PATH, body=list(map(dict, transactions)))
        return answers

    def label(self, id_: str, *, fraud: bool, by: str) -> dict[str, Any]:
        """Say whether a transaction was fraud: the next training and the features of later ones know it."""
        answer: dict[str, Any] = self._call(
            "POST", f"{PATH}/{quote(id_, safe='')}/label", body={"fraud": fraud, "by": by}
        )
        return answer

    def transaction(self, id_: str) -> dict[str, Any]:
        """Return what is kept of a transaction."""
        answer: dict[str, Any] = self._call("GET", f"{PATH}/{quote(id_, safe='')}")
        return answer

    def transactions(self, **filters: Any) -> Iterator[dict[str, Any]]:
        """Iterate over the transactions that came by the API, the newest first.

        Parameters
        ----------
        filters
            `flag`, `label`, `from` and `to`, as the API has them.
        """
        token = None
        while True:
            page = self._call("GET", PATH, limit=MOST_TRANSACTIONS, page_token=token, **filters)
            yield from page["transactions"]
            token = page["next_page_token"]
            if token is None:
                return

    def _call(self, method: str, path: str, *, body: Any = None, **query: Any) -> Any:
        return self._transport.call(method, path, body=body, query={"workload": self._workload, **query})
