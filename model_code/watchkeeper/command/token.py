"""`watchkeeper token`: sign in to the anomaly service and write a token for other programs."""

from __future__ import annotations

from typing import Annotated

import typer

from watchkeeper.client import SignIn
from watchkeeper.command.screen import console, errors


def token(
    username: Annotated[str, typer.Argument(help="A user of the service's pool.")],
    pool: Annotated[
        str, typer.Option(envvar="WATCHKEEPER_USER_POOL", help="Output UserPoolId of WatchkeeperStorage.")
    ],
    client: Annotated[
        str,
        typer.Option(
            envvar="WATCHKEEPER_USER_POOL_CLIENT", help="Output UserPoolClientId of WatchkeeperService."
        ),
    ],
    url: Annotated[
        str | None,
        typer.Option(envvar="AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", help="Where not AWS's own."),
    ] = None,
    password: Annotated[
        str | None, typer.Option(envvar="WATCHKEEPER_PASSWORD", help="Asked for where it is not given.")
    ] = None,
) -> None:
    """Sign in to the anomaly service and write an ID token; the password does not leave this machine."""

    def asked() -> str:
        return str(typer.prompt(f"password of {username}", hide_input=True, err=True))

    def code() -> str:
        errors.print("six digits of the authenticator:", end=" ")
        return input().strip()

    signed_in = SignIn(pool, client, username, password or asked, code=code, url=url)
    console.out(signed_in(), highlight=False)
