"""The image's `train` program."""

from __future__ import annotations

import logging
import sys

import numpy as np
from numpy.typing import NDArray

from .. import container
from .channels import read_channel
from .forest import Forest, save, train
from .hyperparameters import ClientError, Hyperparameters, parse_hyperparameters

SIGMAS = 3.0
"""The algorithm's metrics take scores beyond so many standard deviations from the mean for anomalous."""

logger = logging.getLogger("randomcutforest")


def run() -> None:
    """Train from the channels `train` and, when given, `test`; write the model.

    Raises
    ------
    ClientError
        If the user's hyperparameters or channels cannot be used.
    """
    hyperparameters = parse_hyperparameters(container.read_config("hyperparameters"))
    channels = container.read_config("inputdataconfig")
    directory = container.root() / "input" / "data"
    if not (directory / "train").is_dir():
        raise ClientError("the channel 'train' is missing")
    rows, _ = read_channel(
        "train", directory / "train", channels.get("train", {}), hyperparameters.feature_dim
    )
    if not len(rows):
        raise ClientError("the channel 'train' has no rows")
    forest = train(rows, hyperparameters)
    logger.info("trained %d trees on %d rows of %d features", hyperparameters.num_trees, *rows.shape)
    if (directory / "test").is_dir():
        features, labels = read_channel(
            "test", directory / "test", channels.get("test", {}), hyperparameters.feature_dim
        )
        _log_metrics(forest, features, labels, hyperparameters)
    save(forest, container.root() / "model")


def main() -> None:
    """Run as a training job: the reason of a failure goes to the failure file, and the exit code is 1."""
    container.configure_logging()
    try:
        run()
    except ClientError as error:
        message = f"ClientError: {error} (caused by {type(error.__cause__ or error).__name__})"
        container.write_failure(message)
        logger.error(message)
        sys.exit(1)


def _log_metrics(
    forest: Forest,
    features: NDArray[np.float32],
    labels: NDArray[np.float32],
    hyperparameters: Hyperparameters,
) -> None:
    scores = forest.scores(features)
    flagged, anomalous = scores > scores.mean() + SIGMAS * scores.std(), labels > 0
    hits = int((flagged & anomalous).sum())
    precision = hits / max(1, int(flagged.sum()))
    recall = hits / max(1, int(anomalous.sum()))
    if "accuracy" in hyperparameters.eval_metrics:
        logger.info(
            "#quality_metric: host=algo-1, test accuracy <score>=%s", float((flagged == anomalous).mean())
        )
    if "precision_recall_fscore" in hyperparameters.eval_metrics:
        f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
        logger.info("#quality_metric: host=algo-1, test precision <score>=%s", precision)
        logger.info("#quality_metric: host=algo-1, test recall <score>=%s", recall)
        logger.info("#quality_metric: host=algo-1, test f1 <score>=%s", f1)


if __name__ == "__main__":
    main()
