"""How code reaches the jobs, the endpoints and the Lambda functions: what is in an archive and how it is started.

`sourcedir.tar.gz` holds the packages `watchkeeper` and `containers`, the two entry files of script mode, and
`vendor/` with the wheels of `model_code/containers/requirements.txt`, so that a job installs nothing at its start
and runs with network isolation.
"""

from __future__ import annotations

CODE_ARCHIVE = "sourcedir.tar.gz"
TRAIN_PROGRAM = "train_preprocessor.py"
SERVE_PROGRAM = "serve_preprocessor.py"

ROOT = "/opt/ml"
CODE_CHANNEL = "code"
"""Training input channel with the archive: the toolkit may not download it under network isolation."""

PROCESSING_INPUT = f"{ROOT}/processing/input"
"""`plan/`, `history/`, `raw/`, `prepared/`, `candidate/`, `champion/` and `code/` are under it."""
PROCESSING_OUTPUT = f"{ROOT}/processing/output"
"""`prepared/` and `quarantine/` (prepare), `evaluation/` (evaluate) are under it."""


def processing_entrypoint(module: str) -> list[str]:
    """Return the container entrypoint of a processing job that runs `containers.MODULE`.

    The job's input `code` has the archive, under whatever name it has in S3, at `/opt/ml/processing/input/code/`.
    """
    script = (
        'set -e; ml="${SAGEMAKER_BASE_DIR:-/opt/ml}"; mkdir -p "$ml/code"; '
        'tar -xzf "$ml"/processing/input/code/*.tar.gz -C "$ml/code"; '
        f'cd "$ml/code"; exec python3 -m containers.{module} "$@"'
    )
    return ["/bin/bash", "-c", script, module]


def script_mode_hyperparameters(archive_name: str = CODE_ARCHIVE) -> dict[str, str]:
    """Return the hyperparameters that make the SKLearn image run `TRAIN_PROGRAM` out of the channel `code`.

    Parameters
    ----------
    archive_name
        Last part of the archive's S3 key.
    """
    return {
        "sagemaker_program": TRAIN_PROGRAM,
        "sagemaker_submit_directory": f"{ROOT}/input/data/{CODE_CHANNEL}/{archive_name}",
        "sagemaker_container_log_level": "20",
    }


def serving_environment(region: str) -> dict[str, str]:
    """Return the environment of the preprocessor's container in a model.

    The model's own `code/` is on the import path and the image may not ask a package index for a build backend, so that
    it starts under network isolation.
    """
    return {
        "SAGEMAKER_PROGRAM": SERVE_PROGRAM,
        "SAGEMAKER_SUBMIT_DIRECTORY": f"{ROOT}/model/code",
        "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
        "SAGEMAKER_REGION": region,
        "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv",
        "PYTHONPATH": f"{ROOT}/model/code",
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_NO_INDEX": "1",
    }
