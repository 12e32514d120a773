"""The image's `train` program: the real `sagemaker-training` toolkit."""

from __future__ import annotations

import json

from .. import container


def main() -> None:
    """Rewrite what names `/opt/ml`, and hand over to the toolkit, which ends the process."""
    container.localize_environment()
    hyperparameters = container.root() / "input" / "config" / "hyperparameters.json"
    if hyperparameters.exists():
        hyperparameters.write_text(json.dumps(container.read_config("hyperparameters")))

    # the toolkit reads its environment when it is imported
    from sagemaker_training import trainer

    trainer.train()


if __name__ == "__main__":
    main()
