"""A gateway with the laptop's SageMaker and the test image; run as a program by the tests."""

import asyncio
import sys
from dataclasses import dataclass, field
from pathlib import Path

from localcloud import sagemaker, server
from localcloud.sagemaker.errors import JobFailedError
from localcloud.sagemaker_part import SageMakerPart
from localcloud.settings import Settings

PROGRAM = Path(__file__).with_name("program.py")


@dataclass(frozen=True)
class TestImage:
    name: str = "test"
    python: Path = Path(sys.executable)
    train: list[str] = field(default_factory=lambda: [sys.executable, "-S", str(PROGRAM), "train"])
    serve: list[str] = field(default_factory=lambda: [sys.executable, "-S", str(PROGRAM), "serve"])


def find(uri: str) -> TestImage:
    if not uri.endswith("/test:1"):
        raise JobFailedError(f"ClientError: the laptop has no image {uri!r}")
    return TestImage()


class Part(SageMakerPart):
    def install(self) -> None:
        sagemaker.install(self._settings, find)


def main() -> None:
    settings = Settings.from_environment()
    parts: list[server.Part] = [Part(settings)]
    for part in parts:
        part.install()
    gateway = server.Gateway(parts, dict, lambda: None)
    try:
        asyncio.run(server.run(settings, gateway, parts))
    finally:
        server.leave(parts)


if __name__ == "__main__":
    main()
