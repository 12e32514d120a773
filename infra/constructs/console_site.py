"""The console's site: a private bucket, CloudFront before it, and the function that fills the bucket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aws_cdk import (
    Acknowledgment,
    CustomResource,
    Duration,
    FileSystem,
    Fn,
    RemovalPolicy,
    Stack,
    Validations,
)
from aws_cdk import aws_apigatewayv2 as apigwv2
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.data_bucket import housekeeping, private_bucket
from infra.constructs.python_function import PythonFunction
from infra.permissions import Permission, list_keys, objects, permit, policy_of
from lambdas.site.deploy_site import PREFIX, DeploySiteEnvironment

LOG_DAYS = 90
TIMEOUT_SECONDS = 120
HSTS_DAYS = 730
_PATHS = Path(__file__).with_name("site_paths.js")


class ConsoleSite(Construct):
    """What browsers ask: the site itself, and under the same name the API that the site asks.

    Parameters
    ----------
    api
        What is asked of it goes on to the API.
    api_prefixes
        Beginnings of its paths.
    realtime_host
        Where live events are heard.
    sign_in_url
        Of the sign-in page, whose tokens the page fetches.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        api: apigwv2.IHttpApi,
        api_prefixes: Sequence[str],
        realtime_host: str,
        sign_in_url: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._log = private_bucket(
            self,
            "Log",
            removal_policy=RemovalPolicy.DESTROY,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_PREFERRED,  # CloudFront writes as its own user
            lifecycle_rules=[
                housekeeping(versioned=False),
                s3.LifecycleRule(expiration=Duration.days(LOG_DAYS)),
            ],
        )
        self.bucket = private_bucket(
            self,
            "Objects",
            removal_policy=RemovalPolicy.DESTROY,  # a deployment makes it again
            server_access_logs_bucket=self._log,
            server_access_logs_prefix="bucket/",
            lifecycle_rules=[housekeeping(versioned=False)],
        )
        self.headers = self._headers(realtime_host, sign_in_url)
        self.distribution = self._distribution(api, api_prefixes)

    @property
    def url(self) -> str:
        """Address of the page."""
        return f"https://{self.distribution.distribution_domain_name}/{PREFIX}"

    def fill(self, code: Path, configuration: Mapping[str, Any]) -> None:
        """Put the site into the bucket whenever it, or its configuration, has changed.

        Parameters
        ----------
        code
            Bundle of `deploy_site`, with the site.
        configuration
            What the page reads first.
        """
        deploy = PythonFunction(
            self,
            "Deploy",
            code=code,
            environment=DeploySiteEnvironment(site_bucket=self.bucket.bucket_name),
            purpose="Puts the console's site into its bucket when it is deployed",
            timeout_seconds=TIMEOUT_SECONDS,
        )
        permit(
            deploy.role,
            Permission(
                actions=["s3:PutObject", "s3:DeleteObject"],
                resources=objects(self, self.bucket, f"{PREFIX}*"),
                reason="The names of the site's files are made by its build.",
            ),
            list_keys(self.bucket, PREFIX),
        )
        put = CustomResource(
            self,
            "Files",
            service_token=deploy.function.function_arn,
            resource_type="Custom::ConsoleSite",
            service_timeout=Duration.seconds(2 * TIMEOUT_SECONDS),
            properties={
                "Code": FileSystem.fingerprint(str(code)),  # another site is put again
                "Configuration": Stack.of(self).to_json_string(dict(configuration)),
            },
        )
        put.node.add_dependency(policy_of(deploy.role))

    def _headers(self, realtime_host: str, sign_in_url: str) -> cloudfront.ResponseHeadersPolicy:
        rules = [
            *("default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data: blob:"),
            *("font-src 'self'", "manifest-src 'self'"),
            f"connect-src 'self' wss://{realtime_host} {sign_in_url}",
            *("base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"),
        ]
        return cloudfront.ResponseHeadersPolicy(
            self,
            "Headers",
            comment="Watchkeeper: what the console's page may do",
            security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
                content_security_policy=cloudfront.ResponseHeadersContentSecurityPolicy(
                    content_security_policy="; ".join(rules), override=True
                ),
                content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
                frame_options=cloudfront.ResponseHeadersFrameOptions(
                    frame_option=cloudfront.HeadersFrameOption.DENY, override=True
                ),
                referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(
                    referrer_policy=cloudfront.HeadersReferrerPolicy.NO_REFERRER, override=True
                ),
                strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                    access_control_max_age=Duration.days(HSTS_DAYS), include_subdomains=True, override=True
                ),
            ),
            custom_headers_behavior=cloudfront.ResponseCustomHeadersBehavior(
                custom_headers=[
                    cloudfront.ResponseCustomHeader(header=header, value=value, override=True)
                    for header, value in (
                        (
                            "Permissions-Policy",
                            "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
                        ),
                        ("Cross-Origin-Opener-Policy", "same-origin"),
                        ("Cross-Origin-Resource-Policy", "same-origin"),
                    )
                ]
            ),
        )

    def _distribution(self, api: apigwv2.IHttpApi, prefixes: Sequence[str]) -> cloudfront.Distribution:
        paths = cloudfront.Function(
            self,
            "Paths",
            comment="Watchkeeper: every address of the console's page is the page",
            runtime=cloudfront.FunctionRuntime.JS_2_0,
            code=cloudfront.FunctionCode.from_inline(_PATHS.read_text()),
        )
        # who may list the bucket is told that an object is missing, and not that it is forbidden
        site = origins.S3BucketOrigin.with_origin_access_control(
            self.bucket, origin_access_levels=[cloudfront.AccessLevel.READ, cloudfront.AccessLevel.LIST]
        )
        host = Fn.select(2, Fn.split("/", api.api_endpoint))
        to_api = cloudfront.BehaviorOptions(
            origin=origins.HttpOrigin(
                host,
                protocol_policy=cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
                origin_ssl_protocols=[cloudfront.OriginSslPolicy.TLS_V1_2],
            ),
            allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
            cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
            origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
            response_headers_policy=self.headers,
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
        )
        made = cloudfront.Distribution(
            self,
            "Distribution",
            comment="Watchkeeper: the console",
            default_behavior=cloudfront.BehaviorOptions(
                origin=site,
                allowed_methods=cloudfront.AllowedMethods.ALLOW_GET_HEAD,
                cache_policy=cloudfront.CachePolicy.CACHING_OPTIMIZED,  # as the objects say
                compress=True,
                function_associations=[
                    cloudfront.FunctionAssociation(
                        event_type=cloudfront.FunctionEventType.VIEWER_REQUEST, function=paths
                    )
                ],
                response_headers_policy=self.headers,
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
            ),
            additional_behaviors={f"{prefix}/*": to_api for prefix in prefixes},
            enable_logging=True,
            log_bucket=self._log,
            log_file_prefix="cloudfront/",
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            price_class=cloudfront.PriceClass.PRICE_CLASS_ALL,
        )
        Validations.of(made).acknowledge(
            Acknowledgment(
                id="Annotation::@aws-cdk/aws-cloudfront-origins:listBucketSecurityRisk",
                reason="The function leads `/`, at which S3 would list the bucket, to the page.",
            ),
            Acknowledgment(
                id="AwsSolutions-CFR1",
                reason="From where people may look is the account owner's decision; data needs a token.",
            ),
            Acknowledgment(
                id="AwsSolutions-CFR2",
                reason="AWS WAF is billed by the month: the account owner's decision. The API has limits.",
            ),
            Acknowledgment(
                id="AwsSolutions-CFR4",
                reason="Only with a domain of one's own is there a choice; CloudFront's decides itself.",
            ),
        )
        return made
