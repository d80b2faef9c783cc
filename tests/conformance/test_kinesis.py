"""Kinesis with boto3: streams, their shards, modes and tags."""

import pytest

import kit


@pytest.fixture(scope="module")
def kinesis(served, strict):
    return kit.client("kinesis", served.url, strict)


def summary(kinesis, name):
    return kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]


def test_a_stream_is_made_described_resharded_and_deleted(kinesis):
    name = "conformance"
    assert kit.refused(kinesis.describe_stream_summary, StreamName=name) == "ResourceNotFoundException"
    kinesis.create_stream(StreamName=name, ShardCount=4, Tags={"onair:event": "x"})
    assert kit.refused(kinesis.create_stream, StreamName=name, ShardCount=4) == "ResourceInUseException"
    made = summary(kinesis, name)
    # Without roll-out times a stream is there at once.
    assert (made["StreamStatus"], made["OpenShardCount"]) == ("ACTIVE", 4)
    assert made["StreamARN"] == f"arn:aws:kinesis:us-east-1:{kit.ACCOUNT}:stream/{name}"
    grow = dict(StreamName=name, ScalingType="UNIFORM_SCALING")
    assert kit.refused(kinesis.update_shard_count, **grow, TargetShardCount=9) == "InvalidArgumentException"
    assert kit.refused(kinesis.update_shard_count, **grow, TargetShardCount=1) == "InvalidArgumentException"
    grown = kinesis.update_shard_count(**grow, TargetShardCount=8)
    assert (grown["CurrentShardCount"], grown["TargetShardCount"]) == (4, 8)
    for shards in (16, 8, 16, 8, 16, 8, 16, 8, 16):
        kinesis.update_shard_count(**grow, TargetShardCount=shards)
    assert kit.refused(kinesis.update_shard_count, **grow, TargetShardCount=8) == "LimitExceededException"
    assert name in kinesis.list_streams()["StreamNames"]
    kinesis.delete_stream(StreamName=name)
    assert kit.refused(kinesis.delete_stream, StreamName=name) == "ResourceNotFoundException"
    gone = dict(grow, StreamName="gone", TargetShardCount=2)
    assert kit.refused(kinesis.update_shard_count, **gone) == "ResourceNotFoundException"


def test_a_mode_changes_twice_a_day(kinesis):
    name = "conformance-mode"
    kinesis.create_stream(StreamName=name, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    made = summary(kinesis, name)
    assert made["StreamModeDetails"] == {"StreamMode": "ON_DEMAND"}
    change = dict(StreamARN=made["StreamARN"])
    kinesis.update_stream_mode(**change, StreamModeDetails={"StreamMode": "PROVISIONED"})
    kinesis.update_stream_mode(**change, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    provisioned = {"StreamMode": "PROVISIONED"}
    assert kit.refused(kinesis.update_stream_mode, **change, StreamModeDetails=provisioned) == "LimitExceededException"
    kinesis.delete_stream(StreamName=name)


def test_tags_join_and_go(kinesis):
    name = "conformance-tags"
    kinesis.create_stream(StreamName=name, ShardCount=1)
    kinesis.add_tags_to_stream(StreamName=name, Tags={"a": "1", "b": "2"})
    kinesis.remove_tags_from_stream(StreamName=name, TagKeys=["a"])
    assert kinesis.list_tags_for_stream(StreamName=name)["Tags"] == [{"Key": "b", "Value": "2"}]
    assert kit.refused(kinesis.add_tags_to_stream, StreamName="gone", Tags={"a": "1"}) == "ResourceNotFoundException"
    assert kit.refused(kinesis.list_tags_for_stream, StreamName="gone") == "ResourceNotFoundException"
    assert kit.refused(kinesis.remove_tags_from_stream, StreamName="gone", TagKeys=["a"]) == "ResourceNotFoundException"
    kinesis.delete_stream(StreamName=name)
    assert kit.refused(kinesis.list_streams, Limit=10_001) == "ValidationException"
