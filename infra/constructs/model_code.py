"""The archive of code that SageMaker runs, in the assets' bucket."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import AssetStaging, FileAssetPackaging, Stack
from constructs import Construct

from infra.permissions import Permission


class ModelCode(Construct):
    """A `.tar.gz` under a key that ends in `.tar.gz`, as the jobs expect it.

    CDK's own asset construct keeps only the last part of a double extension.

    Parameters
    ----------
    archive
        The file.
    """

    def __init__(self, scope: Construct, construct_id: str, *, archive: Path) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        staging = AssetStaging(self, "Staging", source_path=str(archive))
        location = stack.synthesizer.add_file_asset(
            file_name=staging.relative_staged_path(stack),
            packaging=FileAssetPackaging.FILE,
            source_hash=f"{staging.asset_hash}.tar",
        )
        self.uri: str = location.s3_object_url
        self.name: str = location.object_key
        """Last part of the key."""
        self._bucket = f"arn:{stack.partition}:s3:::{location.bucket_name}"

    def reading(self) -> tuple[Permission, ...]:
        """Return what a role needs to read the archive: SageMaker lists the prefix of an input, then gets."""
        return (
            Permission(actions=["s3:GetObject"], resources=[f"{self._bucket}/{self.name}"]),
            Permission(
                actions=["s3:ListBucket"],
                resources=[self._bucket],
                conditions={"StringEquals": {"s3:prefix": self.name}},
            ),
        )
