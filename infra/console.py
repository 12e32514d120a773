"""The console: its site, how people sign in, its front door to the API, and live events."""

from __future__ import annotations

from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_events as events
from constructs import Construct

from infra.bundles import Bundles
from infra.constructs.console_sign_in import ConsoleClient, SignInPage
from infra.constructs.console_site import ConsoleSite
from infra.constructs.live_events import LiveEvents
from infra.constructs.service_http_api import BrowserHttpApi
from infra.service import ServiceStack
from infra.settings import Settings
from infra.storage import StorageStack
from lambdas.site.deploy_site import PREFIX
from watchkeeper import __version__


class ConsoleStack(Stack):
    """What people look at, in a stack of its own: an account that may not have CloudFront does without.

    The API is the service's own functions behind another front door, which takes the tokens of the console's
    client: the address of the page must be known to that client, and the API's to the page.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        bundles: Bundles,
        storage: StorageStack,
        service: ServiceStack,
        alert_bus: events.IEventBus,
        **stack_options: Any,
    ) -> None:
        super().__init__(scope, construct_id, **stack_options)
        pool = storage.users
        self.live = LiveEvents(self, "Live", code=bundles.api, pool=pool, bus=alert_bus)
        sign_in = SignInPage(self, "SignIn", pool=pool)
        self.http = BrowserHttpApi(self, "Http", parts=service.parts)
        self.site = ConsoleSite(
            self,
            "Site",
            api=self.http.api,
            api_prefixes=list(service.parts),
            realtime_host=self.live.api.realtime_dns,
            sign_in_url=sign_in.url,
        )
        pages = [self.site.url, *(f"{origin}/{PREFIX}" for origin in settings.console_origins)]
        people = ConsoleClient(self, "People", pool=pool, pages=pages)
        self.http.take_tokens_of(pool, people.client)
        self.site.fill(
            bundles.site,
            {
                "api": "",
                "region": self.region,
                "version": __version__,
                "auth": "cognito",
                "sign_in": {
                    "domain": sign_in.url,
                    "client_id": people.client.user_pool_client_id,
                    "scopes": [scope.scope_name for scope in people.scopes],
                },
            },
        )
        CfnOutput(self, "ConsoleUrl", value=self.site.url)
        CfnOutput(self, "ConsoleDomain", value=self.site.distribution.distribution_domain_name)
        CfnOutput(self, "ConsoleApiUrl", value=self.http.api.api_endpoint)
        CfnOutput(self, "ConsoleClientId", value=people.client.user_pool_client_id)
        CfnOutput(self, "PublishLiveFunctionName", value=self.live.publish_live.function.function_name)
