"""What must outlive every deployment: objects, tables, users, model packages and their keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aws_cdk import ArnFormat, CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.data_bucket import DataBucket, PageBucket
from infra.constructs.package_group import PackageGroup
from infra.constructs.training_workflow import LOG_GROUPS
from infra.constructs.user_directory import RoleGroups, UserDirectory
from lambdas.adapters.incident_store import BY_ID
from lambdas.fraud.transaction_index import ARRIVED, BY_ARRIVAL, SHELF
from watchkeeper.core import layout
from watchkeeper.service import job_names
from watchkeeper.service.request_item import BY_CREATION, Attribute


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
    sparse_indexes
        Partition and sort key, texts, of each index by name that has the keys alone of the items with these.
    key
        Encrypts the items.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: kms.IKey,
        partition_key: str = "pk",
        sort_key: str | None = "sk",
        expires_at: str = "expires_at",
        indexes: Mapping[str, str] | None = None,
        sparse_indexes: Mapping[str, tuple[str, str]] | None = None,
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
        for name, keys in (sparse_indexes or {}).items():
            table.add_global_secondary_index(
                index_name=name,
                partition_key=_text(keys[0]),
                sort_key=_text(keys[1]),
                projection_type=dynamodb.ProjectionType.KEYS_ONLY,
            )
        self.table: dynamodb.ITable = table


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)


class StorageStack(Stack):
    """The data bucket, the tables, the key that encrypts them, and the anomaly service's users and models."""

    def __init__(
        self, scope: Construct, construct_id: str, *, mfa: cognito.Mfa, **stack_options: Any
    ) -> None:
        super().__init__(scope, construct_id, **stack_options)
        self.key: kms.IKey = kms.Key(
            self,
            "Key",
            description="Watchkeeper: telemetry, models, state and anomalies",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        for use in self._use_by_logs():
            self.key.add_to_resource_policy(use)
        data = DataBucket(self, "Data", key=self.key)
        self.bucket: s3.IBucket = data.bucket
        self.pages: s3.IBucket = PageBucket(self, "Pages", key=self.key, access_log=data.access_log).bucket
        self.series: dynamodb.ITable = StateTable(self, "Series", key=self.key).table
        self.anomalies: dynamodb.ITable = StateTable(self, "Anomalies", key=self.key).table
        self.incidents: dynamodb.ITable = StateTable(
            self, "Incidents", key=self.key, sparse_indexes={BY_ID: ("incident_id", "sk")}
        ).table
        self.idempotency: dynamodb.ITable = StateTable(
            self, "Idempotency", partition_key="id", sort_key=None, expires_at="expiration", key=self.key
        ).table
        self.requests: dynamodb.ITable = StateTable(
            self,
            "Requests",
            partition_key=Attribute.PK.value,
            sort_key=Attribute.SK.value,
            expires_at=Attribute.EXPIRES_AT.value,
            key=self.key,
            indexes={BY_CREATION: Attribute.CREATED_AT.value},
        ).table
        self.transactions: dynamodb.ITable = StateTable(
            self, "Transactions", key=self.key, sparse_indexes={BY_ARRIVAL: (SHELF, ARRIVED)}
        ).table
        self.devices: dynamodb.ITable = StateTable(
            self, "Devices", partition_key="serial_number", sort_key=None, key=self.key
        ).table
        self.users: cognito.IUserPool = UserDirectory(self, "Callers", mfa=mfa).pool
        RoleGroups(self, "Roles", pool=self.users)
        self.service_models = PackageGroup(
            self, "ServiceModels", name=job_names.PACKAGE_GROUP, description="Models of the anomaly service"
        ).model_package_group_name

        CfnOutput(self, "DataBucketName", value=self.bucket.bucket_name)
        CfnOutput(self, "DataKeyArn", value=self.key.key_arn)
        CfnOutput(self, "PageBucketName", value=self.pages.bucket_name)
        CfnOutput(self, "SeriesTableName", value=self.series.table_name)
        CfnOutput(self, "AnomaliesTableName", value=self.anomalies.table_name)
        CfnOutput(self, "IncidentsTableName", value=self.incidents.table_name)
        CfnOutput(self, "TransactionsTableName", value=self.transactions.table_name)
        CfnOutput(self, "IdempotencyTableName", value=self.idempotency.table_name)
        CfnOutput(self, "RequestsTableName", value=self.requests.table_name)
        CfnOutput(self, "DevicesTableName", value=self.devices.table_name)
        CfnOutput(self, "UserPoolId", value=self.users.user_pool_id)

    def _use_by_logs(self) -> Iterator[iam.PolicyStatement]:
        """Let CloudWatch Logs encrypt the workflows' and endpoints' log groups, which have data in them."""

        def of_logs(resource: str, name: str) -> str:
            form = ArnFormat.COLON_RESOURCE_NAME
            return self.format_arn(service="logs", resource=resource, resource_name=name, arn_format=form)

        yield iam.PolicyStatement(
            principals=[iam.ServicePrincipal(f"logs.{self.region}.amazonaws.com")],
            actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*"],
            resources=["*"],
            conditions={
                "ArnLike": {
                    "kms:EncryptionContext:aws:logs:arn": [
                        of_logs("log-group", f"{LOG_GROUPS}*"),
                        of_logs("log-group", f"{layout.ENDPOINT_LOGS}/{layout.PREFIX}-*"),
                        of_logs("log-group", f"{layout.STREAM_LOGS}-*"),
                    ]
                }
            },
        )
        # Step Functions delivers through this service, which reads what it has encrypted on the way
        yield iam.PolicyStatement(
            principals=[iam.ServicePrincipal("delivery.logs.amazonaws.com")],
            actions=["kms:Decrypt"],
            resources=["*"],
            conditions={
                "StringEquals": {"aws:SourceAccount": self.account},
                "ArnLike": {"kms:EncryptionContext:SourceArn": of_logs("*", "*")},
            },
        )
