"""Environments of our processes: none of them inherits the user's own."""

import os
from collections.abc import Mapping
from typing import Any

from localcloud.settings import PREFIX, Settings

DEVELOPER = "test"
"""Key and secret of the developer, who is the administrator of the laptop's account."""

_INHERITED = (
    *("PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "VIRTUAL_ENV", "PYTHONPATH"),
    # The server may have to build an image's environment: what a package installer needs to reach its index.
    *("XDG_CACHE_HOME", "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"),
    *("PIP_INDEX_URL", "PIP_CERT", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_CACHE_DIR"),
)


def client_environment(settings: Settings) -> dict[str, str]:
    """Variables that point any AWS client at the local cloud."""
    return {
        "AWS_ENDPOINT_URL": settings.endpoint_url,
        "AWS_ACCESS_KEY_ID": DEVELOPER,
        "AWS_SECRET_ACCESS_KEY": DEVELOPER,
        "AWS_REGION": settings.region,
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


SHELL = 'aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }'
"""For shells: AWS's CLI of version 1 asks AWS itself for sqs, whatever `AWS_ENDPOINT_URL` says."""


def client_facts(settings: Settings) -> dict[str, Any]:
    """What clients need to know beyond AWS's own variables: where devices and the HTTP API are."""
    return {
        "variables": client_environment(settings),
        "shell": SHELL,
        "mqtt": {
            "host": settings.host,
            "port": settings.mqtt_tls_port,
            "ca": f"{settings.endpoint_url}/_ministack/iot/ca.pem",
        },
        "service": f"http://localhost:{settings.service_port}",
        "delivery_seconds": settings.firehose_interval_seconds,
        "home": str(settings.home),
    }


def server_environment(settings: Settings, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Environment of the server process. Ministack reads its part of it when it is imported."""
    state = settings.home / "state"
    inherited = {name: environ[name] for name in _INHERITED if name in environ}
    ours = {name: value for name, value in environ.items() if name.startswith(PREFIX)}
    return {
        **inherited,
        **ours,
        **client_environment(settings),
        f"{PREFIX}HOST": settings.host,
        f"{PREFIX}PORT": str(settings.port),
        f"{PREFIX}HOME": str(settings.home),
        f"{PREFIX}MQTT_TLS_PORT": str(settings.mqtt_tls_port),
        f"{PREFIX}SERVICE_PORT": str(settings.service_port),
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": "1",
        "BIND_HOST": settings.host,
        "GATEWAY_PORT": str(settings.port),
        "MINISTACK_HOST": settings.host,
        "MINISTACK_ACCOUNT_ID": settings.account,
        "MINISTACK_REGION": settings.region,
        # A name of its own for each Event API would resolve in browsers only; its pages are at the front.
        "APPSYNC_EVENTS_HTTP_HOST_TEMPLATE": f"{settings.host}:{settings.port}",
        "APPSYNC_EVENTS_REALTIME_HOST_TEMPLATE": f"localhost:{settings.service_port}",
        # Without DuckDB a query fails and says so; by itself ministack would make an answer up.
        "ATHENA_ENGINE": "duckdb",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(state),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(settings.home / "s3"),
        "SFN_WAIT_SCALE": str(1 / settings.time_scale),
        "LAMBDA_ASYNC_RETRY_BASE_SECONDS": str(1 / settings.time_scale),
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "1",  # bound to loopback by `localcloud.iot`
        "IOT_MTLS_PORT": str(settings.mqtt_tls_port),
        "LOG_LEVEL": "WARNING",
    }
