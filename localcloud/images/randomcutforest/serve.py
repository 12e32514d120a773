"""The image's `serve` program."""

from __future__ import annotations

import os
from collections.abc import Mapping

from .. import container
from ..loopback_server import MAX_PAYLOAD_MB, Answer, refuse, serve
from .forest import Forest, load
from .formats import RequestError, decode, encode


class RandomCutForestModel:
    """The frozen forest behind the HTTP contract."""

    def __init__(self, forest: Forest) -> None:
        self._forest = forest

    def invoke(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Answer with one score a record, in order."""
        try:
            records = decode(body, headers.get("content-type", ""), self._forest.feature_dim)
            content, content_type = encode(self._forest.scores(records), headers.get("accept"))
        except RequestError as error:
            return refuse(error.status, str(error))
        return Answer(200, content_type, content)

    def execution_parameters(self) -> dict[str, int | str]:
        """What batch transform may use."""
        return {
            "MaxConcurrentTransforms": os.cpu_count() or 1,
            "BatchStrategy": "MULTI_RECORD",
            "MaxPayloadInMB": MAX_PAYLOAD_MB,
        }


def main() -> None:
    """Load the model and serve it; a model that cannot be loaded ends the process with its traceback."""
    container.configure_logging()
    serve(RandomCutForestModel(load(container.root() / "model")))


if __name__ == "__main__":
    main()
