import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.firehose.configuration import Destination, UnsupportedDeliveryError, check_update
from localcloud.firehose.delivery import build_objects
from localcloud.firehose.journal import Journal, Segment


def destination(**changes: Any) -> Destination:
    config: dict[str, Any] = {
        "BucketARN": "arn:aws:s3:::bucket",
        "RoleARN": "arn:aws:iam::123456789012:role/stream",
        "Prefix": "raw/!{partitionKeyFromQuery:workload}/!{timestamp:yyyy}/",
        "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/",
        "CompressionFormat": "GZIP",
        "DynamicPartitioningConfiguration": {"Enabled": True},
        "BufferingHints": {"IntervalInSeconds": 60, "SizeInMBs": 64},
        "ProcessingConfiguration": {
            "Enabled": True,
            "Processors": [
                {
                    "Type": "MetadataExtraction",
                    "Parameters": [
                        {
                            "ParameterName": "MetadataExtractionQuery",
                            "ParameterValue": "{workload: .workload}",
                        }
                    ],
                },
                {
                    "Type": "AppendDelimiterToRecord",
                    "Parameters": [{"ParameterName": "Delimiter", "ParameterValue": "\\n"}],
                },
            ],
        },
        **changes,
    }
    return Destination.parse(config)


def segment(folder: Path, records: list[bytes]) -> Segment:
    journal = Journal(folder)
    journal.append(records)
    closed = journal.close_segment()
    assert closed is not None
    return closed


def test_groups_by_partition_and_keeps_the_order(tmp_path: Path) -> None:
    records = [json.dumps({"workload": name, "n": n}).encode() for n, name in enumerate("abab")]

    first, second = build_objects("stream", 1, destination(), segment(tmp_path, records))

    assert first.key.startswith("raw/a/2")
    assert first.key.endswith(".gz")
    assert [json.loads(line)["n"] for line in gzip.decompress(first.body).splitlines()] == [0, 2]
    assert gzip.decompress(second.body) == records[1] + b"\n" + records[3] + b"\n"


def test_same_segment_gives_the_same_objects_again(tmp_path: Path) -> None:
    made = segment(tmp_path, [b'{"workload": "a"}'])

    assert build_objects("s", 1, destination(), made) == build_objects("s", 1, destination(), made)


@pytest.mark.parametrize("record", [b"text", b"[1]", b"{}", b'{"workload": {}}', b"\xff"])
def test_record_without_key_is_kept_under_the_error_prefix(tmp_path: Path, record: bytes) -> None:
    (found,) = build_objects("stream", 1, destination(), segment(tmp_path, [record]))

    assert found.key.startswith("errors/processing-failed/")
    assert base64.b64decode(json.loads(found.body)["rawData"]) == record


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"CompressionFormat": "Snappy"}, "Snappy"),
        ({"DataFormatConversionConfiguration": {"Enabled": True}}, "DataFormatConversionConfiguration"),
        ({"ProcessingConfiguration": {"Enabled": True, "Processors": [{"Type": "Lambda"}]}}, "Lambda"),
        ({"BufferingHints": {"IntervalInSeconds": 59, "SizeInMBs": 64}}, "IntervalInSeconds is 59.* 60"),
        ({"BufferingHints": {"IntervalInSeconds": 60, "SizeInMBs": 63}}, "SizeInMBs is 63.* 64"),
        ({"BufferingHints": {}}, "SizeInMBs is 5"),
        ({"BufferingHints": {"IntervalInSeconds": 60}}, "go together"),
    ],
)
def test_refuses_by_name_what_it_cannot_do(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(UnsupportedDeliveryError, match=named):
        destination(**changes)


def test_a_stream_without_partitions_may_buffer_nothing() -> None:
    hints = {"IntervalInSeconds": 0, "SizeInMBs": 1}
    found = destination(DynamicPartitioningConfiguration={"Enabled": False}, BufferingHints=hints)

    assert (found.buffer_seconds, found.buffer_bytes) == (0, 1 << 20)


def test_partitions_of_a_stream_that_is_there_can_neither_come_nor_go() -> None:
    config = {"BucketARN": "arn:aws:s3:::bucket", "RoleARN": "arn:aws:iam::123456789012:role/stream"}
    hints = {"IntervalInSeconds": 60, "SizeInMBs": 64}
    partitioned = {**config, "BufferingHints": hints, "DynamicPartitioningConfiguration": {"Enabled": True}}

    check_update(partitioned, {**partitioned, "BufferingHints": {"IntervalInSeconds": 90, "SizeInMBs": 64}})
    for before, after in ((config, partitioned), (partitioned, config)):
        with pytest.raises(UnsupportedDeliveryError, match="DynamicPartitioningConfiguration"):
            check_update(before, after)
    with pytest.raises(UnsupportedDeliveryError, match="at least 60"):
        check_update(
            partitioned, {**partitioned, "BufferingHints": {"IntervalInSeconds": 5, "SizeInMBs": 64}}
        )


@given(records=st.lists(st.binary(max_size=40), min_size=1), cut=st.integers(min_value=0))
def test_journal_that_was_cut_short_gives_a_prefix_of_its_records(
    tmp_path_factory: pytest.TempPathFactory, records: list[bytes], cut: int
) -> None:
    made = segment(tmp_path_factory.mktemp("journal"), records)
    assert list(made.records()) == records
    content = made.path.read_bytes()
    made.path.write_bytes(content[: cut % (len(content) + 1)])

    found = list(made.records())

    assert found == records[: len(found)]


def test_segments_of_an_earlier_process_are_found(tmp_path: Path) -> None:
    Journal(tmp_path).append([b"1"])

    (left_over,) = Journal(tmp_path).left_over
    assert list(left_over.records()) == [b"1"]
