"""Clients of the laptop's AWS that call as a role, for what AWS runs in a role's name."""

import threading
from typing import Any

import boto3
from botocore.config import Config

from localcloud.authorization.authority import Authority
from localcloud.environment import client_environment
from localcloud.settings import Settings


class RoleClients:
    """Makes clients, and the variables by which a process calls as a role.

    Parameters
    ----------
    settings
        Of the local cloud.
    authority
        Gives the credentials of roles; without one everything is done as the developer.
    session_name
        Of the sessions that the service has of roles.
    """

    def __init__(self, settings: Settings, authority: Authority | None, session_name: str) -> None:
        self._settings = settings
        self._authority = authority
        self._session_name = session_name
        self._session = boto3.session.Session()
        self._clients: dict[tuple[str, str | None], Any] = {}
        self._lock = threading.Lock()

    def client(self, service: str, role: str | None = None) -> Any:
        """Return the client of another service of this local cloud. Clients are thread-safe and kept.

        Parameters
        ----------
        role
            ARN of the role that calls; None is the service itself.
        """
        with self._lock:
            if (service, role) not in self._clients:
                keys = self.variables(role)
                self._clients[service, role] = self._session.client(
                    service,
                    endpoint_url=self._settings.endpoint_url,
                    region_name=self._settings.region,
                    aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
                    aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
                    aws_session_token=keys.get("AWS_SESSION_TOKEN"),
                    config=Config(max_pool_connections=32, retries={"max_attempts": 5, "mode": "standard"}),
                )
            return self._clients[service, role]

    def variables(self, role: str | None) -> dict[str, str]:
        """Return what points a process at this local cloud, with the keys of a role's session."""
        variables = client_environment(self._settings)
        if self._authority is None or role is None:
            return variables
        return {**variables, **self._authority.keyring.issue(role, self._session_name).variables}
