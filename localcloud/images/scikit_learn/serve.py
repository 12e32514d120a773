"""The image's `serve` program: the user's functions behind the real `sagemaker-containers` worker.

So the image serves one model. Its WSGI application is called in this process; gunicorn is not in between.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from .. import container
from ..loopback_server import Answer, serve

_STEPS = ("input_fn", "predict_fn", "output_fn")


class ScriptModeModel:
    """A user's `model_fn`, `input_fn`, `predict_fn` and `output_fn`, or `transform_fn`.

    Parameters
    ----------
    worker
        The Flask application of `sagemaker-containers`.
    """

    def __init__(self, worker: Any) -> None:
        self._worker = worker

    def invoke(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Run the user's functions on one request."""
        response = self._worker.response_class.from_app(self._worker.wsgi_app, _environ(body, headers))
        return Answer(response.status_code, response.content_type, response.get_data())

    def execution_parameters(self) -> None:
        """The image has none unless the user's script gives them."""


def transformer_of(script: ModuleType) -> Any:
    """Return the transformer of a user's script, with the image's defaults for the functions that it lacks.

    Raises
    ------
    ValueError
        If the script has `transform_fn` beside what that stands for.
    """
    import numpy as np
    from sagemaker_containers.beta.framework import content_types, encoders, transformer, worker

    def decoded(body: Any, content_type: str) -> Any:
        array = encoders.decode(body, content_type)
        return array.astype(np.float32) if content_type in content_types.UTF8_TYPES else array

    defaults = {
        "input_fn": decoded,
        "predict_fn": lambda array, model: model.predict(array),
        "output_fn": lambda prediction, accept: worker.Response(
            encoders.encode(prediction, accept), mimetype=accept
        ),
    }
    own = {name: getattr(script, name) for name in (*_STEPS, "transform_fn") if hasattr(script, name)}
    return transformer.Transformer(
        model_fn=getattr(script, "model_fn", None), **(own if "transform_fn" in own else {**defaults, **own})
    )


def main() -> None:
    """Load the user's model and serve it; a `model_fn` that fails ends the process with its traceback."""
    container.localize_environment()
    container.configure_logging()
    sys.path.insert(0, os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY", str(container.root() / "model" / "code")))

    # the toolkit reads its environment when it is imported
    from sagemaker_containers.beta.framework import env, worker

    name = env.ServingEnv().module_name
    if not name:
        raise SystemExit("SAGEMAKER_PROGRAM names no script")
    transformer = transformer_of(importlib.import_module(name))
    transformer.initialize()
    serve(ScriptModeModel(worker.Worker(transform_fn=transformer.transform, module_name=name)))


def _environ(body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    """Return a request as WSGI has it (PEP 3333)."""
    environ: dict[str, Any] = {
        f"HTTP_{name.upper().replace('-', '_')}": text for name, text in headers.items()
    }
    return {
        **environ,
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/invocations",
        "QUERY_STRING": "",
        "CONTENT_TYPE": headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


if __name__ == "__main__":
    main()
