"""The Glue job that makes a graph of a fraud workload's tables; the training workflow runs it."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.glue_job import GLUE_VERSION, CodeAsset, job_encryption, write_job_logs
from infra.permissions import (
    Permission,
    list_keys,
    objects,
    permit,
    policy_of,
    read_objects,
    write_encrypted_objects,
)
from watchkeeper.core import layout
from watchkeeper.spec.fraud import Processing

RUNS_AT_ONCE = 5
"""Each writes below its own run's prefix."""
SECONDS_A_MINUTE = 60


class ProcessingJob(Construct):
    """Job and role. It reads the workload's history, and reads and writes below its runs' prefixes.

    It keeps no bookmark and tries nothing again: each run reads the whole history, and what made one fail
    would make the next one fail.

    Parameters
    ----------
    wheel, script
        What the job installs and runs.
    bucket, key
        Where history and runs are.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        workload: str,
        processing: Processing,
        wheel: Path,
        script: Path,
        bucket: s3.IBucket,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id)
        code, program = CodeAsset(self, "Code", file=wheel), CodeAsset(self, "Script", file=script)
        # AWS does not document that Glue says for whom it assumes a role: a condition might refuse it.
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("glue.amazonaws.com"))
        history, runs = layout.history_prefix(workload), layout.runs_of(workload)
        permit(
            self.role,
            Permission(actions=["s3:GetObject"], resources=[code.object_arn, program.object_arn]),
            # Hadoop asks for a folder as if it was an object, before it lists it
            read_objects(self, bucket, history.rstrip("/"), f"{history}*"),
            Permission(
                actions=["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
                resources=objects(self, bucket, f"{runs}*"),
                reason="Runs come and go, and Spark names its files itself.",
            ),
            list_keys(bucket),  # Hadoop asks for files that are not there: with a prefix, that is refused
            write_encrypted_objects(key),
            write_job_logs(self),
        )
        name = layout.process_job_name(workload)
        encryption = job_encryption(self, name=name, key=key)
        self.job = glue.CfnJob(
            self,
            "Job",
            name=name,
            description=f"Makes a graph of the transactions of {workload}",
            role=self.role.role_arn,
            command=glue.CfnJob.JobCommandProperty(
                name="glueetl", python_version="3", script_location=program.uri
            ),
            glue_version=GLUE_VERSION,
            worker_type=processing.worker_type,
            number_of_workers=processing.workers,
            max_retries=0,
            timeout=int(processing.timeout.total_seconds()) // SECONDS_A_MINUTE,
            security_configuration=name,
            execution_property=glue.CfnJob.ExecutionPropertyProperty(max_concurrent_runs=RUNS_AT_ONCE),
            default_arguments={
                "--additional-python-modules": code.uri,
                "--python-modules-installer-option": "--no-index --no-deps",
                "--job-bookmark-option": "job-bookmark-disable",
                "--enable-continuous-cloudwatch-log": "true",
            },
        )
        self.job.node.add_dependency(policy_of(self.role), encryption)
