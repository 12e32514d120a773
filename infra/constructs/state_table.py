"""A DynamoDB table that outlives every deployment."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct


class StateTable(Construct):
    """An encrypted on-demand table with point-in-time recovery, a TTL and deletion protection.

    Parameters
    ----------
    partition_key, sort_key
        Names of the key attributes, which are text.
    expires_at
        Name of the attribute with the time to live, in epoch seconds.
    indexes
        Sort key of each index by name, a text too; its partition key is the table's and it has whole items.
    key
        Encrypts the items.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        partition_key: str,
        sort_key: str | None = None,
        expires_at: str,
        key: kms.IKey,
        indexes: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        table = dynamodb.Table(
            self,
            "Items",
            partition_key=_text(partition_key),
            sort_key=_text(sort_key) if sort_key else None,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute=expires_at,
            deletion_protection=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        for name, attribute in (indexes or {}).items():
            table.add_global_secondary_index(
                index_name=name, partition_key=_text(partition_key), sort_key=_text(attribute)
            )
        self.table: dynamodb.ITable = table


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
