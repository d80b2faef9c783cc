"""The logs that the embedded cloud delivers, with boto3: whole, in every format, and as many rows as
CloudWatch counts requests."""

import collections
import datetime
import gzip
import json

import pytest

import kit

BUCKET = "example-cup-final-logs"
MAIN = "E1CUPFINAL0001"
BACKUP = "E1CUPFINAL0002"
# Half past eight in Vienna.
KICKOFF = datetime.datetime(2026, 6, 14, 18, 30, tzinfo=datetime.timezone.utc)


@pytest.fixture(scope="module")
def past():
    """An account three hours after the event, so that all of its logs are there."""
    desk = kit.Desk()
    desk.onair("sandbox", "reset", "--at", "end+3h").expect()
    served = kit.Served(desk, "--rates", "off")
    yield desk, served.url
    served.close()
    desk.close()


@pytest.fixture(scope="module")
def old_desk(past):
    return past[0]


@pytest.fixture(scope="module")
def s3(past, strict):
    # Objects are made when somebody looks, which takes a while in a build for development.
    return kit.client("s3", past[1], strict, region_name="eu-central-1", read_timeout=300)


@pytest.fixture(scope="module")
def logs(past, strict):
    return kit.client("logs", past[1], strict)


@pytest.fixture(scope="module")
def cloudwatch(past, strict):
    return kit.client("cloudwatch", past[1], strict)


def keys(s3, prefix):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    return {one["Key"]: one for page in pages for one in page.get("Contents", [])}


def counted(cloudwatch, distribution, start, end):
    answer = cloudwatch.get_metric_statistics(
        Namespace="AWS/CloudFront",
        MetricName="Requests",
        Dimensions=[{"Name": "DistributionId", "Value": distribution}, {"Name": "Region", "Value": "Global"}],
        StartTime=start,
        EndTime=end,
        Period=60,
        Statistics=["Sum"],
    )
    return {f"{point['Timestamp']:%Y-%m-%d %H:%M}": int(point["Sum"]) for point in answer["Datapoints"]}


def test_the_parquet_of_an_hour_is_whole(old_desk, s3, cloudwatch):
    found = keys(s3, f"access/{BACKUP}/2026/06/14/19/")
    assert len(found) == 6 and all(key.endswith(".parquet") for key in found)
    duckdb = pytest.importorskip("duckdb")
    rows = collections.Counter()
    for key, listed in found.items():
        body = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        assert len(body) == listed["Size"] and body[:4] == body[-4:] == b"PAR1"
        path = old_desk.folder / "object.parquet"
        path.write_bytes(body)
        sql = f"SELECT date || ' ' || time[1:5], count(*) FROM '{path}' WHERE cs_user_agent <> '' GROUP BY 1"
        rows.update(dict(duckdb.sql(sql).fetchall()))
    start = KICKOFF.replace(hour=19, minute=0)
    assert rows == counted(cloudwatch, BACKUP, start, start + datetime.timedelta(hours=1))
    assert max(rows.values()) > 60


def test_late_and_missing_objects_leave_a_gap(old_desk, s3):
    prefix = f"access/{BACKUP}/2026/06/14/20/"
    old_desk.onair("sandbox", "set", "logs", "/missing", '["2026-06-14T20:20:00Z"]').expect()
    old_desk.onair("sandbox", "set", "logs", "/late", '{"2026-06-14T20:40:00Z": 600}').expect()
    assert len(keys(s3, prefix)) == 4
    old_desk.onair("sandbox", "set", "logs", "/late", "{}").expect()
    assert len(keys(s3, prefix)) == 5


def delivered(desk, logs, distribution, destination, **more):
    """A delivery in the place of the event's own, as old as if it had always been there."""
    for delivery in logs.describe_deliveries()["deliveries"]:
        logs.delete_delivery(id=delivery["id"])
    for one in logs.describe_delivery_sources()["deliverySources"]:
        logs.delete_delivery_source(name=one["name"])
    arn = f"arn:aws:cloudfront::{kit.ACCOUNT}:distribution/{distribution}"
    logs.put_delivery_source(name="viewers", resourceArn=arn, logType="ACCESS_LOGS")
    made = logs.create_delivery(deliverySourceName="viewers", deliveryDestinationArn=destination["arn"], **more)
    place = f"/deliveries/{made['delivery']['id']}/created"
    desk.onair("sandbox", "set", "logs", place, '"2026-06-13T00:00:00Z"').expect()


def destination(logs, name, resource, format):
    made = logs.put_delivery_destination(
        name=name, outputFormat=format, deliveryDestinationConfiguration={"destinationResourceArn": resource}
    )
    return made["deliveryDestination"]


@pytest.mark.parametrize("format", ["json", "w3c", "plain"])
def test_text_comes_with_the_fields_that_were_chosen(old_desk, s3, logs, cloudwatch, format):
    fields = ["time", "date", "sc-status", "cs(User-Agent)", "c-country"]
    place = destination(logs, f"text-{format}", f"arn:aws:s3:::{BUCKET}/access", format)
    path = f"{format}/{{DistributionId}}/{{yyyy}}/{{MM}}/{{dd}}/{{HH}}"
    delivered(old_desk, logs, MAIN, place, recordFields=fields, s3DeliveryConfiguration={"suffixPath": path})
    found = keys(s3, f"access/{format}/{MAIN}/2026/06/14/17/")
    assert len(found) == 6
    rows = []
    for key in found:
        text = gzip.decompress(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()).decode("ascii")
        lines = text.splitlines()
        if format == "w3c":
            assert lines[:2] == ["#Version: 1.0", "#Fields: " + " ".join(fields)]
        lines = [line for line in lines if not line.startswith("#")]
        if format == "json":
            rows += [list(json.loads(line).items()) for line in lines]
        else:
            rows += [list(zip(fields, line.split("\t"), strict=True)) for line in lines]
    assert all([name for name, _ in row] == fields for row in rows)
    minutes = collections.Counter(f"{dict(row)['date']} {dict(row)['time'][:5]}" for row in rows)
    start = KICKOFF.replace(hour=17, minute=0)
    assert minutes == counted(cloudwatch, MAIN, start, start + datetime.timedelta(hours=1))


def test_events_come_to_a_log_group(old_desk, logs, cloudwatch):
    group = "conformance-viewers"
    logs.create_log_group(logGroupName=group)
    resource = f"arn:aws:logs:us-east-1:{kit.ACCOUNT}:log-group:{group}"
    delivered(old_desk, logs, MAIN, destination(logs, "group", resource, "json"))
    start = KICKOFF.replace(hour=18, minute=10)
    end = start + datetime.timedelta(minutes=3)
    stamps = [int(at.timestamp() * 1000) for at in (start, end)]
    events = logs.filter_log_events(logGroupName=group, startTime=stamps[0], endTime=stamps[1] - 1)["events"]
    expected = counted(cloudwatch, MAIN, start, end)
    assert len(events) == sum(expected.values())
    assert [event["timestamp"] for event in events] == sorted(event["timestamp"] for event in events)
    assert {json.loads(event["message"])["cs(Host)"] for event in events} == {"d1cupfinal0001.cloudfront.net"}
    logs.delete_log_group(logGroupName=group)
