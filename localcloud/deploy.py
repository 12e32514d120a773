"""``cdk bootstrap`` when needed, then ``cdk deploy``: the pinned CDK command line, unmodified templates."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import boto3
from botocore.exceptions import ClientError

from localcloud.environment import client_environment
from localcloud.settings import Settings

BOOTSTRAP_STACK = "CDKToolkit"
_CDK = Path("node_modules") / ".bin" / "cdk"
_CONCURRENCY = 4


class DeployError(RuntimeError):
    """The app cannot be deployed; the message says what to do."""


def deploy(settings: Settings, source: Path, arguments: Sequence[str] = ()) -> int:
    """Deploy every stack of a CDK app and return the CDK's exit status.

    Parameters
    ----------
    settings
        Of the running local cloud.
    source
        Folder of an app (it has ``cdk.json``), or a cloud assembly (it has ``manifest.json``).
    arguments
        Appended to ``cdk deploy``.

    Raises
    ------
    DeployError
        When there is no app, or no CDK command line.
    """
    source = source.resolve()
    if (source / "manifest.json").is_file():
        app, folder = ["--app", str(source)], source.parent
    elif (source / "cdk.json").is_file():
        app, folder = [], source
    else:
        raise DeployError(f"{source}: has neither cdk.json (an app) nor manifest.json (a cloud assembly)")
    cdk = find_cdk(folder)
    environment = cdk_environment(settings)
    if not is_bootstrapped(settings):
        target = f"aws://{settings.account}/{settings.region}"
        status = subprocess.run(
            [str(cdk), "bootstrap", target], cwd=folder, env=environment, check=False
        ).returncode
        if status:
            return status
    command = [str(cdk), "deploy", *app, "--all", "--require-approval", "never"]
    command += ["--concurrency", str(_CONCURRENCY), "--progress", "events", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, check=False).returncode


def find_cdk(folder: Path) -> Path:
    """Return the CDK command line nearest to a folder, or to the current one.

    Raises
    ------
    DeployError
        When none is installed.
    """
    for start in (folder, Path.cwd()):
        for candidate in (start, *start.parents):
            if (candidate / _CDK).is_file():
                return candidate / _CDK
    raise DeployError(f"no {_CDK} in {folder} or above: install the CDK command line with 'npm ci'")


def cdk_environment(settings: Settings) -> dict[str, str]:
    """Environment of the CDK command line: the user's own, pointed at the local cloud."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **inherited,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), inherited.get("PATH", os.defpath)]),
        **client_environment(settings),
        "CDK_DEFAULT_ACCOUNT": settings.account,
        "CDK_DEFAULT_REGION": settings.region,
        "AWS_ENDPOINT_URL_S3_FOR_CLOUDFORMATION": settings.endpoint_url,
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
        "JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION": "1",
        "NODE_NO_WARNINGS": "1",
    }


def is_bootstrapped(settings: Settings) -> bool:
    """Whether the CDK's own stack is there."""
    client = boto3.client(
        "cloudformation",
        endpoint_url=settings.endpoint_url,
        region_name=settings.region,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106  # the local cloud takes any credentials
    )
    try:
        stacks = client.describe_stacks(StackName=BOOTSTRAP_STACK)["Stacks"]
    except ClientError:
        return False
    return bool(stacks[0]["StackStatus"].endswith("_COMPLETE"))
