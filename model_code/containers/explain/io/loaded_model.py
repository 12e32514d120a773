"""Loads a script-mode model in this process: no endpoint, no network, and its trees can be looked at."""

from __future__ import annotations

import importlib.util
import os
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from containers.explain.io.model import Model
from containers.explain.io.predictor_settings import CSV, JSON, PredictorSettings
from watchkeeper.core.errors import ContractViolationError, UnavailableError, WatchkeeperError

PROGRAM = "serve_regressor.py"
"""The entry that is taken where `SAGEMAKER_PROGRAM` names none."""
MAX_ROWS = 20_000
MAX_BYTES = 64 * 1024**2
EXCERPT = 120
TEXT_TYPES = (CSV, JSON)
"""What the image gives to `input_fn` as text; all else it gives as bytes."""


def load_model(channel: Path, settings: PredictorSettings) -> Model:
    """Load the `model.tar.gz` of the input `model` by its own `model_fn`, and ask it by its own functions.

    The packages of this job come before those of the model's `code/`, of which it takes what it lacks.

    Raises
    ------
    ContractViolationError
        If there is no archive, or no entry in it.
    UnavailableError
        If the model cannot be loaded; the cause says why.
    """
    folder = _unpacked(channel)
    entry = _entry(folder / "code")
    sys.path.append(str(entry.parent))
    try:
        script = _import(entry)
        loaded = script.model_fn(str(folder))
    except WatchkeeperError:
        raise
    except Exception as error:
        raise UnavailableError(
            f"the model cannot be loaded: {entry.name}: {type(error).__name__}: {error}"
        ) from error
    return Model(
        _caller(script, loaded, settings),
        settings,
        MAX_ROWS,
        MAX_BYTES,
        "the model archive, loaded in the job",
        loaded,
    )


def _unpacked(channel: Path) -> Path:
    archives = sorted(channel.glob("*.tar.gz"))
    if len(archives) != 1:
        names = ", ".join(path.name for path in archives) or "none"
        raise ContractViolationError(f"the input model has one model.tar.gz; found: {names}")
    folder = Path(tempfile.mkdtemp(prefix="model-"))
    with tarfile.open(archives[0]) as archive:
        archive.extractall(folder, filter="data")
    return folder


def _entry(code: Path) -> Path:
    named = os.environ.get("SAGEMAKER_PROGRAM")
    found = sorted(path.name for path in code.glob("*.py"))
    candidates = [named] if named else [PROGRAM, "inference.py", *(found if len(found) == 1 else [])]
    for name in candidates:
        if (code / name).is_file():
            return code / name
    raise ContractViolationError(
        f"the model's code/ has no entry {' or '.join(candidates)} (set SAGEMAKER_PROGRAM); "
        f"it has: {', '.join(found) or 'nothing'}"
    )


def _import(entry: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"_model_entry_{entry.stem}", entry)
    if spec is None or spec.loader is None:
        raise ContractViolationError(f"{entry.name} is not a Python module")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not hasattr(module, "model_fn"):
        raise ContractViolationError(f"{entry.name} has no model_fn")
    return module


def _caller(script: ModuleType, loaded: Any, settings: PredictorSettings) -> Callable[[bytes], bytes]:
    """Chain the script's functions as the container does; what it leaves out is what the image does."""

    def answer(body: bytes) -> Any:
        request = body.decode() if settings.content_type in TEXT_TYPES else body
        if hasattr(script, "input_fn"):
            data = script.input_fn(request, settings.content_type)
        else:
            from sagemaker_inference import decoder

            data = decoder.decode(request, settings.content_type)
        prediction = (
            script.predict_fn(data, loaded) if hasattr(script, "predict_fn") else loaded.predict(data)
        )
        if hasattr(script, "output_fn"):
            return script.output_fn(prediction, settings.accept_type)
        from sagemaker_inference import encoder

        return encoder.encode(prediction, settings.accept_type)

    def send(body: bytes) -> bytes:
        try:
            found = answer(body)
        except WatchkeeperError:
            raise
        except Exception as error:
            raise ContractViolationError(
                f"the model refused a request: {type(error).__name__}: {error} (its first row: "
                f"{body.splitlines()[0][:EXCERPT]!r})"
            ) from error
        content = found[0] if isinstance(found, tuple) else found
        return content if isinstance(content, bytes) else str(content).encode()

    return send
