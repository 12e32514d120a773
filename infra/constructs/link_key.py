"""The key that signs links of alerts."""

from __future__ import annotations

from typing import cast

from aws_cdk import Acknowledgment, RemovalPolicy, Validations
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

LETTERS = 64
"""Of letters and digits: 380 bits."""


class LinkKey(Construct):
    """A secret that AWS makes up once; `watchkeeper alerts exchange-key` puts another one in its place."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        secret = secretsmanager.Secret(
            self,
            "Secret",
            description="Watchkeeper: signs the links by which alerts are answered",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=LETTERS, exclude_punctuation=True
            ),
            removal_policy=RemovalPolicy.DESTROY,  # links of before answer no more
        )
        self.arn: str = cast(secretsmanager.CfnSecret, secret.node.default_child).attr_id
        """Of the secret."""
        Validations.of(secret).acknowledge(
            Acknowledgment(
                id="AwsSolutions-SMG4",
                reason="A link lives for 30 days at most. Exchanging the key is the account owner's, by one "
                "command: a function that may write it would be one more that knows it.",
            )
        )
