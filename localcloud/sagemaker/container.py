"""The environment of a container's program: its own root in place of /opt/ml, and nothing of the user's."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from localcloud.programs.templates import Recipe, Templates
from localcloud.sagemaker.context import Context, Image
from localcloud.sagemaker.locations import localize

_DEAD_PROXY = "http://127.0.0.1:9"


def make_root(path: Path, *folders: str) -> Path:
    """Make an empty root with these folders in it."""
    shutil.rmtree(path, ignore_errors=True)
    for folder in ("tmp", *folders):
        (path / folder).mkdir(parents=True)
    return path


def environment(
    context: Context, image: Image, root: Path, own: Mapping[str, str], *, role: str | None, isolated: bool
) -> dict[str, str]:
    """Return the whole environment of a program.

    Parameters
    ----------
    context
        Of the laptop's SageMaker.
    image
        The image that runs; its interpreter comes first on the path.
    root
        What stands for /opt/ml.
    own
        The request's own variables; they win.
    role
        ARN of the role whose credentials the program gets.
    isolated
        Network isolation. A process has no network namespace of its own without privileges, so this is what
        can be done: no credentials, no endpoint, and proxies that refuse every connection that is not to the
        laptop itself.
    """
    variables = {
        **_of_image(image),
        "HOME": str(root),
        "TMPDIR": str(root / "tmp"),
        "SAGEMAKER_BASE_DIR": str(root),
        "AWS_REGION": context.settings.region,
        "AWS_DEFAULT_REGION": context.settings.region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    if isolated:
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            variables[name] = _DEAD_PROXY
        variables["NO_PROXY"] = variables["no_proxy"] = "localhost,127.0.0.1"
    else:
        variables.update(context.variables(role))
    variables.update({name: localize(value, root) for name, value in own.items()})
    return variables


def template(context: Context, image: Image) -> tuple[Templates, Recipe] | None:
    """Return what an image's programs may be forked from: its libraries, without any job's own variables."""
    if not image.preload:
        return None
    variables = tuple(_of_image(image).items())
    return context.templates, Recipe((str(image.python),), tuple(image.preload), variables)


def _of_image(image: Image) -> dict[str, str]:
    return {
        "PATH": f"{image.python.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "LANG": os.environ.get("LANG", "C.UTF-8"),
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": "1",
    }
