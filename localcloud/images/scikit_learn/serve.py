"""The image's `serve` program: the user's functions behind the real `sagemaker-inference` transformer."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from .. import container
from ..loopback_server import Answer, serve

_TEXT_TYPES = ("text/csv", "application/json")
"""Content types that the toolkit decodes before it calls the user's functions."""


class _Context(threading.local):
    """The part of a model server's context that the toolkit and the user's functions use.

    A model server has one context a worker, which is loaded with it, and sets it for each request. Here a
    worker is a thread.
    """

    def __init__(self, model_directory: Path) -> None:
        self.system_properties = {"model_dir": str(model_directory)}
        self.request_processor = [self]
        self.begin({})

    def begin(self, headers: Mapping[str, str]) -> None:
        """Set what is of one request."""
        self.status = int(HTTPStatus.OK)
        self.content_type = ""
        # the transformer looks for the canonical spelling
        self._headers = {name.title(): value for name, value in headers.items()}

    def get_request_properties(self) -> dict[str, str]:
        return self._headers

    def set_response_content_type(self, _request: int, content_type: str) -> None:
        self.content_type = content_type

    def set_response_status(self, code: int, phrase: str) -> None:
        del phrase  # HTTP's own phrase is sent
        self.status = int(code)


class ScriptModeModel:
    """A user's `model_fn`, `input_fn`, `predict_fn` and `output_fn`."""

    def __init__(self, transformer: Any, context: _Context) -> None:
        self._transformer = transformer
        self._context = context

    def invoke(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Run the user's functions on one request."""
        context = self._context
        context.begin(headers)
        if headers.get("content-type") in _TEXT_TYPES:
            # As the image's own server does; the toolkit would answer bytes that are no UTF-8 with 500.
            body = body.decode(errors="replace").encode()
        content = self._transformer.transform([{"body": body}], context)[0]
        if context.status != HTTPStatus.OK:
            return Answer(context.status, "text/plain; charset=utf-8", str(content).encode())
        content = content if isinstance(content, bytes) else str(content).encode()
        return Answer(context.status, context.content_type, content)

    def execution_parameters(self) -> None:
        """The image has none unless the user's script gives them."""


def main() -> None:
    """Load the user's model and serve it; a `model_fn` that fails ends the process with its traceback."""
    container.localize_environment()
    logging.basicConfig(
        stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    sys.path.insert(0, os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY", str(container.root() / "model" / "code")))

    # the toolkit reads its environment when it is imported
    from sagemaker_inference.transformer import Transformer

    transformer = Transformer()
    context = _Context(container.root() / "model")
    transformer.validate_and_initialize(model_dir=context.system_properties["model_dir"], context=context)
    serve(ScriptModeModel(transformer, context))


if __name__ == "__main__":
    main()
