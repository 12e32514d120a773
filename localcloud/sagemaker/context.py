"""What every part of the laptop's SageMaker works with."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

from localcloud.authorization.authority import AccessDeniedError, Authority
from localcloud.authorization.credentials import session
from localcloud.authorization.needs import Need
from localcloud.programs.templates import Templates
from localcloud.role_clients import RoleClients
from localcloud.sagemaker.errors import JobFailedError, SageMakerError
from localcloud.sagemaker.store import Store
from localcloud.service_quotas import ServiceQuotas
from localcloud.settings import Settings

_REGISTRY = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[^.]+)\.amazonaws\.com/(?P<repository>[^:@]+)"
)
_SESSION = "SageMaker"  # name of the sessions that SageMaker has of roles


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

    @property
    def preload(self) -> list[str]:
        """Modules of its libraries that are loaded ahead."""


ImageSource = Callable[[str], Image]


class Context:
    """Settings, state, images and the clients of the gateway.

    Parameters
    ----------
    settings
        Of the local cloud.
    image_source
        Gives the stand-in of an image URI, ready to start; raises `JobFailedError` when there is none.
    authority
        Gives the credentials of roles; without one everything is done as the developer.
    """

    def __init__(
        self, settings: Settings, image_source: ImageSource, authority: Authority | None = None
    ) -> None:
        self.settings = settings
        self._image_source = image_source
        self.quotas = ServiceQuotas(settings)
        self.folder = settings.home / "sagemaker"
        self.store = Store(self.folder / "state.json", region=settings.region, account=settings.account)
        self.authority = authority
        self.templates = Templates(settings.template_idle_seconds)
        self._clients = RoleClients(settings, authority, _SESSION)

    def client(self, service: str, role: str | None = None) -> Any:
        """Return the client of another service that calls as a role; see `RoleClients.client`."""
        return self._clients.client(service, role)

    def variables(self, role: str | None) -> dict[str, str]:
        """Return what points a process at this local cloud, with the keys of a role's session."""
        return self._clients.variables(role)

    def image(self, uri: str, role: str | None) -> Image:
        """Return the stand-in of an image that a role pulls.

        Raises
        ------
        JobFailedError
            When the laptop has no such image, or the role may not pull it.
        """
        self.require(role, pull_needs(uri))
        return self._image_source(uri)

    def require(self, role: str | None, needs: Iterable[Need]) -> None:
        """Fail what runs as a role that lacks a permission.

        Raises
        ------
        JobFailedError
            With AWS's sentence about the permission.
        """
        if self.authority is None or role is None:
            return
        try:
            self.authority.require(session(role, _SESSION), needs)
        except AccessDeniedError as error:
            raise JobFailedError(f"ClientError: {error}") from error

    def allows(self, role: str | None, need: Need) -> bool:
        """Whether a role has a permission, for what a job does without if it must."""
        if self.authority is None or role is None:
            return True
        return self.authority.allows(session(role, _SESSION), [need])

    def assume(self, role: str, resource_arn: str) -> None:
        """Check that SageMaker may assume a role for a resource.

        Raises
        ------
        SageMakerError
            As AWS when it may not, or there is no such role.
        """
        if self.authority is None:
            return
        try:
            self.authority.assume("sagemaker", role, _SESSION, resource_arn)
        except AccessDeniedError as error:
            raise SageMakerError(
                "ValidationException",
                f"Could not assume role {role}. Please ensure that the role exists and allows principal "
                "'sagemaker.amazonaws.com' to assume the role.",
            ) from error


def pull_needs(uri: str) -> list[Need]:
    """Return what a role needs to pull an image; nothing where its registry is not ECR's."""
    found = _REGISTRY.match(uri)
    if found is None:
        return []
    arn = f"arn:aws:ecr:{found['region']}:{found['account']}:repository/{found['repository']}"
    verbs = ("BatchCheckLayerAvailability", "GetDownloadUrlForLayer", "BatchGetImage")
    return [Need("ecr:GetAuthorizationToken", "*"), *(Need(f"ecr:{verb}", arn) for verb in verbs)]


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
