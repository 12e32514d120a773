"""Who may call the anomaly service: users with a tenant, and the client that they sign in through."""

from __future__ import annotations

from typing import Any

from aws_cdk import Acknowledgment, Duration, RemovalPolicy, Validations
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from lambdas.http.roles import ROLES

TENANT_ATTRIBUTE = "tenant"
"""In tokens it is the claim `custom:tenant`, which `lambdas.service_api.incoming` reads."""
TOKEN_MINUTES = 60
REFRESH_HOURS = 8
"""A working day; then a user signs in again, and who was disabled is out."""
PASSWORD_HISTORY = 24


class UserDirectory(Construct):
    """A Cognito user pool whose users an administrator makes; it outlives every deployment.

    Parameters
    ----------
    mfa
        Whether every user must have an authenticator.
    """

    def __init__(self, scope: Construct, construct_id: str, *, mfa: cognito.Mfa) -> None:
        super().__init__(scope, construct_id)
        self.pool: cognito.IUserPool = cognito.UserPool(
            self,
            "Users",
            self_sign_up_enabled=False,
            sign_in_aliases=cognito.SignInAliases(username=True, email=True),
            custom_attributes={
                TENANT_ATTRIBUTE: cognito.StringAttribute(min_len=1, max_len=64, mutable=True)
            },
            password_policy=cognito.PasswordPolicy(
                min_length=14,
                require_lowercase=True,
                require_uppercase=True,
                require_digits=True,
                require_symbols=True,
                temp_password_validity=Duration.days(3),
                password_history_size=PASSWORD_HISTORY,
            ),
            mfa=mfa,
            mfa_second_factor=cognito.MfaSecondFactor(otp=True, sms=False),
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            feature_plan=cognito.FeaturePlan.ESSENTIALS,
            deletion_protection=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        Validations.of(self).acknowledge(
            Acknowledgment(
                id="AwsSolutions-COG2",
                reason="Callers are programs too, which have no second factor; people may turn theirs on, "
                "and `-c service_mfa=required` demands it of all.",
            ),
            Acknowledgment(
                id="AwsSolutions-COG3",
                reason="Threat protection is billed for each user and is the account owner's decision.",
            ),
            Acknowledgment(
                id="AwsSolutions-COG8",
                reason="The Plus plan is billed for each user and is the account owner's decision.",
            ),
        )


class RoleGroups(Construct):
    """A group of users for each role of the console; an administrator of the pool adds users to them."""

    def __init__(self, scope: Construct, construct_id: str, *, pool: cognito.IUserPool) -> None:
        super().__init__(scope, construct_id)
        for precedence, role in enumerate(reversed(ROLES)):
            group = cognito.CfnUserPoolGroup(
                self,
                role.capitalize(),
                user_pool_id=pool.user_pool_id,
                group_name=role,
                description=f"May do what the role {role} may in the console",
                precedence=precedence,
            )
            group.apply_removal_policy(RemovalPolicy.RETAIN)


class ServiceClient(Construct):
    """The application through which programs and the command get tokens."""

    def __init__(self, scope: Construct, construct_id: str, *, pool: cognito.IUserPool) -> None:
        super().__init__(scope, construct_id)
        self.client = client_of(
            self,
            pool,
            auth_flows=cognito.AuthFlow(user_srp=True, admin_user_password=True),
            disable_o_auth=True,
        )


def client_of(scope: Construct, pool: cognito.IUserPool, **own: Any) -> cognito.IUserPoolClient:
    """Make a client of the pool, with tokens of a working day.

    Users cannot write their tenant, only read it.
    """
    attributes = cognito.ClientAttributes().with_standard_attributes(email=True)
    return cognito.UserPoolClient(
        scope,
        "Client",
        user_pool=pool,
        id_token_validity=Duration.minutes(TOKEN_MINUTES),
        access_token_validity=Duration.minutes(TOKEN_MINUTES),
        refresh_token_validity=Duration.hours(REFRESH_HOURS),
        prevent_user_existence_errors=True,
        enable_token_revocation=True,
        read_attributes=attributes.with_custom_attributes(TENANT_ATTRIBUTE),
        write_attributes=attributes,
        **own,
    )
