"""The laptop's cloud as a process beside the command: started where none answers, asked how to reach it.

Nothing of it is imported, `python -m localcloud` is run: but for its address all is as in an account.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any
from urllib.request import urlopen

from cli.failures import StepFailedError
from cli.specs import ROOT
from watchkeeper.command.screen import console, done, say
from watchkeeper.core.errors import InvalidInputError

FIREHOSE_SECONDS = "0.3"
"""What delivery streams wait here unless LOCALCLOUD_FIREHOSE_INTERVAL_SECONDS says otherwise."""
UNSET = ("AWS_PROFILE", "AWS_SESSION_TOKEN")
"""What would win over the laptop's credentials, or spoil them."""


def laptop_facts() -> dict[str, Any]:
    """Return what the laptop's cloud says of how it is reached."""
    facts: dict[str, Any] = json.loads(_localcloud("env", "--json"))
    return facts


def laptop_variables(facts: dict[str, Any]) -> dict[str, str]:
    """Return the environment in which clients and the other verbs reach the laptop's cloud."""
    mqtt = facts["mqtt"]
    return {
        **facts["variables"],
        "WATCHKEEPER_STAGE": "laptop",
        "WATCHKEEPER_FRESHNESS": f"{facts['delivery_seconds']:g}",
        "WATCHKEEPER_SERVICE_URL": facts["service"],
        "WATCHKEEPER_MQTT_HOST": mqtt["host"],
        "WATCHKEEPER_MQTT_PORT": str(mqtt["port"]),
        "WATCHKEEPER_MQTT_CA": mqtt["ca"],
    }


def enter_laptop() -> None:
    """Let this process speak to the laptop's cloud, and start that where it does not answer.

    Raises
    ------
    InvalidInputError
        If `AWS_ENDPOINT_URL` names another cloud.
    StepFailedError
        If it does not start; its own message is in the error.
    """
    variables = laptop_variables(laptop_facts())
    endpoint, given = variables["AWS_ENDPOINT_URL"], os.environ.get("AWS_ENDPOINT_URL", "")
    if given.rstrip("/") not in ("", endpoint):
        raise InvalidInputError(
            f"AWS_ENDPOINT_URL is {given}, and the laptop's cloud is at {endpoint}: unset it, or set "
            "LOCALCLOUD_PORT to the port of the one that is meant"
        )
    for name in UNSET:
        os.environ.pop(name, None)
    os.environ.update(variables)
    if answers(endpoint):
        say(f"the laptop's cloud is up: {endpoint}")
        return
    with console.status("starting the laptop's cloud"):
        _localcloud("up", "--detach", "--quiet")
    done(f"the laptop's cloud is up: {endpoint}")


def answers(endpoint: str) -> bool:
    """Whether a laptop's cloud is at an address."""
    try:
        with urlopen(f"{endpoint}/_localcloud/status", timeout=10):  # noqa: S310  # loopback
            return True
    except OSError:
        return False


def laptop_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment in which the laptop's cloud itself is run."""
    return {
        "LOCALCLOUD_FIREHOSE_INTERVAL_SECONDS": FIREHOSE_SECONDS,
        **environment,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), environment.get("PYTHONPATH", "")])),
    }


def _localcloud(*arguments: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-m", "localcloud", *arguments],
        cwd=ROOT,
        env=laptop_environment(),
        check=False,
        capture_output=True,
        text=True,
    )
    if ended.returncode:
        raise StepFailedError(f"`python -m localcloud {arguments[0]}`: {ended.stderr.strip()}")
    return ended.stdout
