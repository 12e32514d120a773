"""What every part of the laptop's SageMaker works with."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import boto3
from botocore.config import Config

from localcloud.environment import client_environment
from localcloud.sagemaker.errors import JobFailedError
from localcloud.sagemaker.store import Store
from localcloud.service_quotas import ServiceQuotas
from localcloud.settings import Settings


class Image(Protocol):
    """A container image's stand-in, as `localcloud.images.registry` gives it."""

    @property
    def name(self) -> str:
        """Name of the image."""

    @property
    def python(self) -> Path:
        """Interpreter of its environment."""

    @property
    def train(self) -> list[str]:
        """Command that trains."""

    @property
    def serve(self) -> list[str]:
        """Command that serves."""


ImageSource = Callable[[str], Image]


class Context:
    """Settings, state, images and the clients of the gateway.

    Parameters
    ----------
    settings
        Of the local cloud.
    image_source
        Gives the stand-in of an image URI, ready to start; raises `JobFailedError` when there is none.
    """

    def __init__(self, settings: Settings, image_source: ImageSource) -> None:
        self.settings = settings
        self.image = image_source
        self.quotas = ServiceQuotas(settings)
        self.folder = settings.home / "sagemaker"
        self.store = Store(self.folder / "state.json", region=settings.region, account=settings.account)
        self._credentials = client_environment(settings)
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    def client(self, service: str) -> Any:
        """Return the client of another service of this local cloud. Clients are thread-safe and kept."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = boto3.session.Session().client(
                    service,
                    endpoint_url=self.settings.endpoint_url,
                    region_name=self.settings.region,
                    aws_access_key_id=self._credentials["AWS_ACCESS_KEY_ID"],
                    aws_secret_access_key=self._credentials["AWS_SECRET_ACCESS_KEY"],
                    config=Config(max_pool_connections=32, retries={"max_attempts": 5, "mode": "standard"}),
                )
            return self._clients[service]


def registry_images(image_home: Path) -> ImageSource:
    """Return the source of the images in `localcloud.images`, which are built at first use."""
    from localcloud.images.registry import (
        ImageEnvironmentError,
        UnknownImageError,
        ensure_environment,
        resolve,
    )

    def find(uri: str) -> Image:
        try:
            image = resolve(uri, image_home)
            ensure_environment(image)
        except (UnknownImageError, ImageEnvironmentError) as error:
            raise JobFailedError(f"ClientError: {error}") from error
        return image

    return find
