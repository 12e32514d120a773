"""The laptop's SageMaker.

Control plane: documents checked by the service model that botocore pins, stored in one JSON file. Jobs and
endpoints: the images' programs as child processes under the /opt/ml contract. What AWS has and the laptop has
not is refused by name with ``UnsupportedOperation``.

Simulated: an instance type and count is remembered and not obeyed (one process a container); a VPC, a KMS
key, a role and spot capacity are remembered and not used; network isolation takes away credentials, endpoint
and proxies. After a restart of the server, endpoints in service are served again and running jobs run again
from their start.

The server calls `install`, `restore`, `snapshot` and `shutdown`, in the order that `localcloud.settings`
states.
"""

from typing import Any

from localcloud.authorization.authority import Authority
from localcloud.sagemaker.context import ImageSource
from localcloud.settings import Settings

_parts: "list[Any]" = []


def install(
    settings: Settings, images: ImageSource | None = None, authority: Authority | None = None
) -> None:
    """Load the state and register with ministack: API, Step Functions integrations, CloudFormation types.

    Parameters
    ----------
    settings
        Of the local cloud.
    images
        Source of images; default: `localcloud.images.registry`.
    authority
        Gives the credentials of roles; without one everything is done as the developer.
    """
    from localcloud.sagemaker.service import SageMaker

    _parts[:] = [SageMaker(settings, images, authority)]
    _parts[0].install()


def restore() -> None:
    """Serve endpoints again and run unfinished jobs again; the gateway answers by now."""
    for part in _parts:
        part.resume()


def snapshot() -> None:
    """Write what changed. The store also writes by itself right after each change."""
    for part in _parts:
        part.snapshot()


def shutdown() -> None:
    """End every process of jobs and endpoints, which stay as they are for the next start."""
    for part in _parts:
        part.shutdown()
    _parts.clear()
