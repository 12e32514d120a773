"""A gateway with the laptop's SageMaker and the test image; run as a program by the tests."""

import asyncio
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack import app as ministack

from localcloud import sagemaker
from localcloud.images.registry import UnknownImageError, ensure_environment, resolve
from localcloud.sagemaker.context import Image
from localcloud.sagemaker.errors import JobFailedError
from localcloud.settings import Settings

PROGRAM = Path(__file__).with_name("program.py")


@dataclass(frozen=True)
class TestImage:
    name: str = "test"
    python: Path = Path(sys.executable)
    train: list[str] = field(default_factory=lambda: [sys.executable, str(PROGRAM), "train"])
    serve: list[str] = field(default_factory=lambda: [sys.executable, str(PROGRAM), "serve"])
    preload: list[str] = field(default_factory=lambda: ["http.server", "subprocess", "tarfile"])


def find(uri: str) -> Image:
    if uri.endswith("/test:1"):
        return TestImage()
    try:
        found = resolve(uri)
    except UnknownImageError as error:
        raise JobFailedError(f"ClientError: {error}") from error
    ensure_environment(found)
    return found


async def run(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    config = Config()
    config.bind = [f"{settings.host}:{settings.port}"]
    config.accesslog = None
    config.graceful_timeout = 0.2
    serving = asyncio.create_task(serve(ministack.app, config, shutdown_trigger=stop.wait))
    while True:
        try:
            _, writer = await asyncio.open_connection(settings.host, settings.port)
        except OSError:
            await asyncio.sleep(0.02)
            continue
        writer.close()
        break
    await asyncio.to_thread(sagemaker.restore)
    (settings.home / "ready").touch()
    await serving


def main() -> None:
    settings = Settings.from_environment()
    sagemaker.install(settings, find)
    asyncio.run(run(settings))
    sagemaker.snapshot()
    sagemaker.shutdown()
    os._exit(0)  # ministack's worker threads would keep the interpreter


if __name__ == "__main__":
    main()
