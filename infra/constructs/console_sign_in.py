"""How people sign in to the console: the pool's own page, and the client that the page signs in through."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from infra.constructs.user_directory import client_of
from watchkeeper.core import layout


class SignInPage(Construct):
    """Cognito's managed login, at a name that has the account's number: it must be the region's only one."""

    def __init__(self, scope: Construct, construct_id: str, *, pool: cognito.IUserPool) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        self._domain = cognito.UserPoolDomain(
            self,
            "Domain",
            user_pool=pool,
            cognito_domain=cognito.CognitoDomainOptions(
                domain_prefix=f"{layout.PREFIX}-{stack.account}-{stack.region}"
            ),
            managed_login_version=cognito.ManagedLoginVersion.NEWER_MANAGED_LOGIN,
        )

    @property
    def url(self) -> str:
        """Address of the page."""
        return self._domain.base_url()


class ConsoleClient(Construct):
    """A public client: no secret, the code flow (the page adds PKCE), tokens for a working day.

    Parameters
    ----------
    pages
        Addresses that Cognito leads back to.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, pool: cognito.IUserPool, pages: Sequence[str]
    ) -> None:
        super().__init__(scope, construct_id)
        self.scopes = [cognito.OAuthScope.OPENID, cognito.OAuthScope.EMAIL]
        self.client = client_of(
            self,
            pool,
            generate_secret=False,
            o_auth=cognito.OAuthSettings(
                flows=cognito.OAuthFlows(authorization_code_grant=True),
                scopes=self.scopes,
                callback_urls=list(pages),
                logout_urls=list(pages),
            ),
            supported_identity_providers=[cognito.UserPoolClientIdentityProvider.COGNITO],
        )
        cognito.CfnManagedLoginBranding(
            self,
            "Look",
            user_pool_id=pool.user_pool_id,
            client_id=self.client.user_pool_client_id,
            use_cognito_provided_values=True,
        )
