"""The Glue job that makes a graph of transactions: what it may reach, and that a run of it ends."""

from __future__ import annotations

from tests.infra.templates import Resource, Templates, flat, many
from watchkeeper.core import layout

WORKLOAD = "card_fraud"
STACK = layout.workload_stack(WORKLOAD)


def job_of(templates: Templates) -> Resource:
    (job,) = templates.resources("AWS::Glue::Job", stack=STACK)
    return job


def test_run_ends_keeps_no_bookmark_and_is_tried_once(templates: Templates) -> None:
    job = job_of(templates).properties

    assert job["Name"] == layout.process_job_name(WORKLOAD)
    assert job["Command"]["Name"] == "glueetl"
    assert (job["GlueVersion"], job["WorkerType"], job["NumberOfWorkers"]) == ("5.1", "G.1X", 2)
    assert (job["Timeout"], job["MaxRetries"]) == (120, 0)
    assert job["DefaultArguments"]["--job-bookmark-option"] == "job-bookmark-disable"


def test_what_it_writes_and_logs_is_encrypted(templates: Templates) -> None:
    (security,) = templates.resources("AWS::Glue::SecurityConfiguration", stack=STACK)

    assert job_of(templates).properties["SecurityConfiguration"] == security.properties["Name"]
    encryption = security.properties["EncryptionConfiguration"]
    assert encryption["CloudWatchEncryption"]["CloudWatchEncryptionMode"] == "SSE-KMS"
    assert [each["S3EncryptionMode"] for each in encryption["S3Encryptions"]] == ["SSE-KMS"]


def test_it_reads_its_own_history_and_writes_below_its_own_runs(templates: Templates) -> None:
    reached = {
        (action, flat(arn).rpartition(">/")[2])
        for resource, statement in templates.statements()
        if resource.stack == STACK and resource.logical_id.startswith("ProcessingRole")
        for action in many(statement["Action"])
        for arn in many(statement["Resource"])
        if action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject") and "assets" not in flat(arn)
    }
    runs = f"runs/{WORKLOAD}/*"

    assert reached == {
        ("s3:GetObject", f"history/{WORKLOAD}"),
        ("s3:GetObject", f"history/{WORKLOAD}/*"),
        ("s3:GetObject", runs),
        ("s3:PutObject", runs),
        ("s3:DeleteObject", runs),
    }
