"""``python -m localcloud.serve``: composes the server from its parts. Started by the supervisor only."""

import asyncio
import logging

from localcloud import sagemaker, server
from localcloud.cloudformation import CloudFormationPart
from localcloud.events import EventsPart
from localcloud.firehose.part import FirehosePart
from localcloud.iot import IotPart
from localcloud.lambda_runtime.executor import LambdaExecutor
from localcloud.sagemaker_part import SageMakerPart
from localcloud.settings import Settings
from localcloud.status import Status


def main() -> None:
    """Install every part, serve, and leave nothing behind."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    settings = Settings.from_environment()
    server.raise_file_limit()
    parts = build_parts(settings)
    for part in parts:
        part.install()
    gateway = server.Gateway(parts, Status(settings, parts).document, lambda: None)
    try:
        asyncio.run(server.run(settings, gateway, parts))
    finally:
        server.leave(parts)


def build_parts(settings: Settings) -> list[server.Part]:
    """Return the parts in the order in which they are installed and started."""
    firehose = FirehosePart(settings, lambda delete: delete())
    parts: list[server.Part] = [
        CloudFormationPart(),
        EventsPart(),
        LambdaExecutor(settings),
        firehose,
        IotPart(settings, firehose),
    ]
    if hasattr(sagemaker, "install"):
        parts.append(SageMakerPart(settings))
    return parts


if __name__ == "__main__":
    main()
