"""S3 with boto3: buckets, policies, objects."""

import json

import pytest

import kit

BUCKET = "conformance-bucket"


@pytest.fixture(scope="module")
def s3(served, strict):
    client = kit.client("s3", served.url, strict, s3={"addressing_style": "path"})
    client.create_bucket(Bucket=BUCKET)
    return client


def test_buckets_are_made_found_and_deleted(s3):
    assert kit.refused(s3.create_bucket, Bucket=BUCKET) == "BucketAlreadyOwnedByYou"
    assert kit.refused(s3.create_bucket, Bucket="Not_a_bucket") in ("InvalidBucketName", "ParamValidationError")
    assert BUCKET in [one["Name"] for one in s3.list_buckets()["Buckets"]]
    assert s3.head_bucket(Bucket=BUCKET)["BucketRegion"] == "us-east-1"
    assert not s3.get_bucket_location(Bucket=BUCKET)["LocationConstraint"]
    assert s3.get_bucket_location(Bucket="example-cup-final-logs")["LocationConstraint"] == "eu-central-1"
    for call in (s3.delete_bucket, s3.get_bucket_location, s3.get_bucket_policy, s3.list_objects_v2):
        assert kit.refused(call, Bucket="conformance-gone") == "NoSuchBucket"
    assert kit.refused(s3.head_bucket, Bucket="conformance-gone") == "404"
    s3.create_bucket(Bucket="conformance-second")
    s3.delete_bucket(Bucket="conformance-second")


def test_policies_are_kept_as_they_are_put(s3):
    assert kit.refused(s3.get_bucket_policy, Bucket=BUCKET) == "NoSuchBucketPolicy"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "delivery.logs.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=1)
    s3.put_bucket_policy(Bucket=BUCKET, Policy=policy)
    assert s3.get_bucket_policy(Bucket=BUCKET)["Policy"] == policy
    foreign = policy.replace(BUCKET, "another")
    assert kit.refused(s3.put_bucket_policy, Bucket=BUCKET, Policy=foreign) == "MalformedPolicy"
    s3.delete_bucket_policy(Bucket=BUCKET)
    assert kit.refused(s3.delete_bucket_policy, Bucket="conformance-gone") == "NoSuchBucket"


def test_objects_are_put_read_and_deleted(s3):
    put = dict(Bucket=BUCKET, Key="a b/ä+c.txt")
    tag = s3.put_object(**put, Body=b"content", ContentType="text/plain")["ETag"]
    got = s3.get_object(**put)
    assert (got["Body"].read(), got["ETag"], got["ContentType"]) == (b"content", tag, "text/plain")
    assert s3.head_object(**put)["ContentLength"] == 7
    assert kit.refused(s3.put_object, **put, Body=b"x", IfNoneMatch="*") == "PreconditionFailed"
    assert kit.refused(s3.put_object, **put, Body=b"x", IfMatch='"0"') == "PreconditionFailed"
    assert kit.refused(s3.delete_bucket, Bucket=BUCKET) == "BucketNotEmpty"
    s3.delete_object(**put)
    assert kit.refused(s3.get_object, **put) == "NoSuchKey"
    assert kit.refused(s3.head_object, **put) == "404"
    assert kit.refused(s3.delete_object, Bucket="conformance-gone", Key="x") == "NoSuchBucket"


def test_lists_have_pages_and_folders(s3):
    for number in range(7):
        s3.put_object(Bucket=BUCKET, Key=f"list/{number % 2}/ä {number}", Body=b"x")
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=BUCKET, Prefix="list/", PaginationConfig={"PageSize": 3}
    )
    keys = [[one["Key"] for one in page["Contents"]] for page in pages]
    assert [len(page) for page in keys] == [3, 3, 1]
    assert sum(keys, []) == sorted(sum(keys, []))
    folders = s3.list_objects_v2(Bucket=BUCKET, Prefix="list/", Delimiter="/")
    assert [one["Prefix"] for one in folders["CommonPrefixes"]] == ["list/0/", "list/1/"]
    assert folders["KeyCount"] == 2 and "Contents" not in folders


def test_logs_are_delivered_where_the_policy_lets_them(served):
    logs = kit.bucket_client(served.url)
    for delivered in logs.list_objects_v2(Bucket="example-cup-final-logs").get("Contents", []):
        assert delivered["Key"].startswith(
            ("access/E1CUPFINAL000", f"AWSLogs/{kit.ACCOUNT}/", "conformance/", "realtime/cup-final/")
        )
