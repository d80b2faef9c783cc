"""CloudWatch Logs with boto3: the deliveries of CloudFront's access logs."""

import pytest

import kit

SOURCE = f"arn:aws:cloudfront::{kit.ACCOUNT}:distribution/E1CUPFINAL0001"
BUCKET = "arn:aws:s3:::example-cup-final-logs"


@pytest.fixture(scope="module")
def logs(served, strict):
    return kit.client("logs", served.url, strict)


@pytest.fixture(scope="module")
def source(logs):
    """A source of the main distribution's logs, in the place of the event's own."""
    for delivery in logs.describe_deliveries()["deliveries"]:
        logs.delete_delivery(id=delivery["id"])
    for one in logs.describe_delivery_sources()["deliverySources"]:
        logs.delete_delivery_source(name=one["name"])
    made = logs.put_delivery_source(name="conformance", resourceArn=SOURCE, logType="ACCESS_LOGS", tags={"a": "1"})
    return made["deliverySource"]


def destination(logs, name, resource=f"{BUCKET}/conformance", **more):
    made = logs.put_delivery_destination(
        name=name, deliveryDestinationConfiguration={"destinationResourceArn": resource}, **more
    )
    return made["deliveryDestination"]


def test_a_distribution_is_of_one_source(logs, source):
    assert logs.get_delivery_source(name="conformance")["deliverySource"] == source
    second = dict(name="second", resourceArn=SOURCE, logType="ACCESS_LOGS")
    assert kit.refused(logs.put_delivery_source, **second) == "ConflictException"
    other = dict(second, resourceArn=SOURCE.replace("0001", "9999"))
    assert kit.refused(logs.put_delivery_source, **other) == "ResourceNotFoundException"
    assert kit.refused(logs.put_delivery_source, **dict(second, name="a.b")) == "ValidationException"
    assert kit.refused(logs.get_delivery_source, name="gone") == "ResourceNotFoundException"
    assert kit.refused(logs.describe_delivery_sources, limit=51) == "ValidationException"


def test_sources_are_made_in_the_first_region_alone(served, strict, source):
    elsewhere = kit.client("logs", served.url, strict)
    elsewhere = kit.boto3.session.Session("key", "secret", region_name="eu-central-1").client(
        "logs", endpoint_url=served.url
    )
    code = kit.refused(elsewhere.put_delivery_source, name="x", resourceArn=SOURCE, logType="ACCESS_LOGS")
    assert code == "ValidationException"


def test_a_format_stays_and_a_bucket_has_no_dots(logs):
    made = destination(logs, "conformance-json", outputFormat="json", tags={"a": "1"})
    assert (made["deliveryDestinationType"], made["outputFormat"]) == ("S3", "json")
    assert logs.get_delivery_destination(name="conformance-json")["deliveryDestination"] == made
    assert made in logs.describe_delivery_destinations()["deliveryDestinations"]
    assert kit.refused(destination, logs=logs, name="conformance-json", outputFormat="parquet") == "ValidationException"
    dots = dict(logs=logs, name="dots", resource="arn:aws:s3:::logs.example.com", outputFormat="json")
    assert kit.refused(destination, **dots) == "ValidationException"
    gone = dict(dots, resource="arn:aws:s3:::no-such-bucket-here")
    assert kit.refused(destination, **gone) == "ResourceNotFoundException"
    group = f"arn:aws:logs:us-east-1:{kit.ACCOUNT}:log-group:x"
    assert kit.refused(destination, **dict(dots, resource=group, outputFormat="parquet")) == "ValidationException"
    assert kit.refused(logs.get_delivery_destination, name="gone") == "ResourceNotFoundException"
    assert kit.refused(logs.describe_delivery_destinations, limit=51) == "ValidationException"
    logs.delete_delivery_destination(name="conformance-json")
    assert kit.refused(logs.delete_delivery_destination, name="conformance-json") == "ResourceNotFoundException"


def test_a_delivery_joins_both_and_writes(logs, source, served, strict):
    made = destination(logs, "conformance-w3c", outputFormat="w3c")
    join = dict(deliverySourceName="conformance", deliveryDestinationArn=made["arn"])
    assert kit.refused(logs.create_delivery, **join, recordFields=["cmcd-sid"]) == "ValidationException"
    path = {"suffixPath": "{distributionid}/{nonsense}"}
    assert kit.refused(logs.create_delivery, **join, s3DeliveryConfiguration=path) == "ValidationException"
    delivery = logs.create_delivery(**join, tags={"a": "1"})["delivery"]
    assert len(delivery["recordFields"]) == 35
    assert logs.get_delivery(id=delivery["id"])["delivery"] == delivery
    assert kit.refused(logs.create_delivery, **join) == "ConflictException"
    assert kit.refused(logs.delete_delivery_source, name="conformance") == "ConflictException"
    assert kit.refused(logs.delete_delivery_destination, name="conformance-w3c") == "ConflictException"
    # The service's own statement fits its own path.
    policy = kit.bucket_client(served.url).get_bucket_policy(Bucket="example-cup-final-logs")["Policy"]
    assert "AWSLogsDeliveryWrite" in policy
    logs.update_delivery_configuration(id=delivery["id"], recordFields=["date", "time", "timestamp(ms)"])
    assert logs.get_delivery(id=delivery["id"])["delivery"]["recordFields"] == ["date", "time", "timestamp(ms)"]
    update = dict(id=delivery["id"], recordFields=["nonsense"])
    assert kit.refused(logs.update_delivery_configuration, **update) == "ValidationException"
    logs.tag_resource(resourceArn=delivery["arn"], tags={"b": "2"})
    logs.untag_resource(resourceArn=delivery["arn"], tagKeys=["a"])
    assert logs.list_tags_for_resource(resourceArn=delivery["arn"])["tags"] == {"b": "2"}
    logs.delete_delivery(id=delivery["id"])
    for call in (logs.delete_delivery, logs.get_delivery):
        assert kit.refused(call, id="gone") == "ResourceNotFoundException"
    gone = dict(resourceArn=delivery["arn"])
    assert kit.refused(logs.list_tags_for_resource, **gone) == "ResourceNotFoundException"
    assert kit.refused(logs.tag_resource, **gone, tags={"a": "1"}) == "ResourceNotFoundException"
    assert kit.refused(logs.untag_resource, **gone, tagKeys=["a"]) == "ResourceNotFoundException"
    assert kit.refused(logs.describe_deliveries, limit=51) == "ValidationException"


def test_templates_say_what_is_allowed(logs):
    templates = logs.describe_configuration_templates(service="cloudfront")["configurationTemplates"]
    assert [one["deliveryDestinationType"] for one in templates] == ["CWL", "FH", "S3"]
    names = {field["name"] for field in templates[2]["allowedFields"]}
    assert {"cs(User-Agent)", "timestamp(ms)", "viewer-request-log-data"} <= names and len(names) == 42
    assert "parquet" in templates[2]["allowedOutputFormats"]
    assert kit.refused(logs.describe_configuration_templates, limit=51) == "ValidationException"
