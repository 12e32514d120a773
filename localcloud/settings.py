"""Where the laptop's cloud listens, keeps its state, and how fast its clocks run.

Every value has a default and may be set by an environment variable ``LOCALCLOUD_<NAME>``
(``LOCALCLOUD_PORT``, ``LOCALCLOUD_HOME``, ...). A value that cannot be used is refused by name.

The SageMaker part plugs into the server through four functions of ``localcloud.sagemaker``; the server calls
them in this order:

1. ``install(settings: Settings) -> None``: once, in the server process, before the first request and before
   ministack's state is loaded. Registers handlers, Step Functions integrations and CloudFormation types.
   No call to the gateway yet: it does not listen.
2. ``restore() -> None``: once, in a worker thread, when the gateway accepts requests and ministack's state is
   loaded, and before Step Functions executions are resumed. Reads its own folder,
   ``settings.home / "sagemaker"``.
3. ``snapshot() -> None``: in a worker thread, at every persistence interval and once more at shutdown. Writes
   what changed, atomically. Cheap when nothing changed.
4. ``shutdown() -> None``: once, when the server leaves, after the last snapshot. Ends every child process.

Children are started with ``localcloud.processes.spawn`` (``PR_SET_PDEATHSIG``), so that a SIGKILL of the
server leaves nothing behind.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from ipaddress import ip_address
from pathlib import Path

PREFIX = "LOCALCLOUD_"
_AGES = ("established", "new")
_PORTS = ("port", "mqtt_tls_port", "service_port")
_IAM = ("enforce", "record")


class SettingsError(ValueError):
    """A setting has a value that cannot be used."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Settings of one local cloud.

    Attributes
    ----------
    host : str
        Loopback address of every listener.
    port : int
        Gateway: every AWS API.
    mqtt_tls_port : int
        MQTT with a device certificate.
    service_port : int
        The deployed HTTP API, see ``localcloud.service_front``; where it is taken the rest works without it.
    home : Path
        State, logs and the pid file.
    image_home : Path
        Environments of the container images, named after their content: a cache that clouds share and that
        outlives their state.
    region, account : str
        The only region and account that are served.
    account_age : str
        ``established``, or ``new``: with the quotas that AWS gives new accounts, no instance of SageMaker.
    time_scale : float
        Speed of waits in state machines: 60 makes a ``Wait`` of a minute last a second.
    firehose_interval_seconds : float
        Longest time a record stays in a delivery stream's buffer, in place of the stream's own interval; 0 is
        that interval, as in an account.
    persistence_interval_seconds : float
        Time between two snapshots of what changed.
    free_bytes : int
        Free space that the disk of ``home`` must keep; below, requests that write are refused.
    lambda_concurrency : int
        Most workers of one function.
    lambda_idle_seconds : float
        A worker that was idle for so long is ended.
    template_idle_seconds : float
        A template, of which programs are forked that share their libraries, is ended when it was idle for so
        long; with 0 every program starts by itself.
    job_concurrency : int
        Most SageMaker jobs that run at once; further ones wait for their turn.
    deployment_time_scale : float
        Speed of the waits of an endpoint's deployment (canary, linear, termination).
    health_check_seconds : float
        Time for a serving container to pass its health check, where the variant does not say.
    shutdown_seconds : float
        Time for an orderly end before the server is killed.
    iam : str
        ``enforce`` refuses a role and a service what their policies do not give; ``record`` lets every call
        through and only writes down what would be refused (``python -m localcloud iam report``).
    """

    host: str = "127.0.0.1"
    port: int = 4566
    mqtt_tls_port: int = 8883
    service_port: int = 8000
    home: Path = Path(".localcloud")
    image_home: Path = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")) / "localcloud" / "images"
    region: str = "us-east-1"
    account: str = "123456789012"
    account_age: str = "established"
    time_scale: float = 1.0
    firehose_interval_seconds: float = 0.0
    persistence_interval_seconds: float = 0.5
    free_bytes: int = 64 * 2**20
    lambda_concurrency: int = 4
    lambda_idle_seconds: float = 300.0
    template_idle_seconds: float = 300.0
    job_concurrency: int = max(2, os.cpu_count() or 2)
    deployment_time_scale: float = 100.0
    health_check_seconds: float = 120.0
    shutdown_seconds: float = 15.0
    iam: str = "enforce"

    def __post_init__(self) -> None:
        """Make the folders absolute and refuse what cannot work."""
        for name in ("home", "image_home"):
            object.__setattr__(self, name, Path(getattr(self, name)).expanduser().absolute())
        try:
            loopback = ip_address(self.host).is_loopback
        except ValueError:
            loopback = False
        if not loopback:
            raise SettingsError(f"{PREFIX}HOST={self.host!r}: must be a loopback address such as 127.0.0.1")
        for name in _PORTS:
            value = getattr(self, name)
            if not 1 <= value <= 65535:
                raise SettingsError(f"{PREFIX}{name.upper()}={value}: must be a port from 1 to 65535")
        if len({getattr(self, name) for name in _PORTS}) < len(_PORTS):
            given = ", ".join(f"{PREFIX}{name.upper()}={getattr(self, name)}" for name in _PORTS)
            raise SettingsError(f"{given}: must be different ports")
        if self.iam not in _IAM:
            raise SettingsError(f"{PREFIX}IAM={self.iam!r}: must be {' or '.join(_IAM)}")
        if len(self.account) != 12 or not self.account.isdigit():
            raise SettingsError(f"{PREFIX}ACCOUNT={self.account!r}: must be 12 digits")
        if self.account_age not in _AGES:
            known = " or ".join(_AGES)
            raise SettingsError(f"{PREFIX}ACCOUNT_AGE={self.account_age!r}: must be {known}")
        for name in (
            "time_scale",
            "persistence_interval_seconds",
            "free_bytes",
            "lambda_concurrency",
            "lambda_idle_seconds",
            "job_concurrency",
            "deployment_time_scale",
            "health_check_seconds",
            "shutdown_seconds",
        ):
            if not getattr(self, name) > 0:
                raise SettingsError(f"{PREFIX}{name.upper()}={getattr(self, name)}: must be greater than 0")
        for name in ("firehose_interval_seconds", "template_idle_seconds"):
            if getattr(self, name) < 0:
                raise SettingsError(f"{PREFIX}{name.upper()}={getattr(self, name)}: must not be less than 0")

    @property
    def endpoint_url(self) -> str:
        """URL of the gateway, for ``AWS_ENDPOINT_URL``."""
        return f"http://{self.host}:{self.port}"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ, **overrides: object) -> "Settings":
        """Read the settings from the environment.

        Parameters
        ----------
        environ
            Variables ``LOCALCLOUD_<NAME>``; unknown ones are refused.
        **overrides
            Values that win over the environment; ``None`` is ignored.

        Raises
        ------
        SettingsError
            For an unknown variable, or a value of the wrong type or range.
        """
        types = {field.name: field.type for field in fields(cls)}
        values: dict[str, object] = {}
        for variable, text in environ.items():
            if not variable.startswith(PREFIX):
                continue
            name = variable.removeprefix(PREFIX).lower()
            if name not in types:
                known = ", ".join(PREFIX + known.upper() for known in types)
                raise SettingsError(f"{variable}: no such setting; known are {known}")
            convert = types[name]
            if not callable(convert):
                raise TypeError(f"annotation of Settings.{name} must be a type")
            try:
                values[name] = convert(text)
            except ValueError as error:
                raise SettingsError(f"{variable}={text!r}: must be of type {convert.__name__}") from error
        values.update({name: value for name, value in overrides.items() if value is not None})
        return cls(**values)  # type: ignore[arg-type]  # each value was converted by its field's type
