"""A model as the analyses see it: a table of rows in, scores out, however it is reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from containers.explain.io.answers import Predictions, join_predictions, read_answer
from containers.explain.io.payloads import payloads
from containers.explain.io.predictor_settings import PredictorSettings


@dataclass
class Model:
    """Asks the model in requests of a bounded size, and counts the rows."""

    send: Callable[[bytes], bytes]
    """Takes the body of a request to the model, and brings that of its answer."""
    settings: PredictorSettings
    max_rows: int
    max_bytes: int
    description: str
    """How it is reached, for the report."""
    loaded: Any = None
    """What `model_fn` returned, where the model is in this process: its trees can be looked at."""
    rows_asked: int = field(default=0, init=False)

    def predict(self, rows: pd.DataFrame) -> Predictions:
        """Return the model's scores, and its labels where they are configured, of each row in order.

        Raises
        ------
        ContractViolationError
            If an answer is not what the configuration says.
        UnavailableError
            If the model does not answer.
        """
        requests = payloads(rows, self.settings, max_rows=self.max_rows, max_bytes=self.max_bytes)
        parts = [read_answer(self.send(body), n_rows, self.settings) for body, n_rows in requests]
        self.rows_asked += len(rows)
        return join_predictions(parts)
