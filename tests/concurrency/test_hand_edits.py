"""What another hand changes on what onair provisioned: `provision --dry-run` names exactly that, and
the next `provision` puts it back. What was set live for the event is no hand edit and stays.
"""

import json

import boto3
import pytest

import kit

MAIN = "E1CUPFINAL0001"
GATE = "onair-cup-final-gate"
QUICK = ("--rates", "off", "--fault", "rollout=0s", "--fault", "rollout-skew=0s")


class Hand:
    """Another tool's clients for the account that onair provisioned."""

    def __init__(self, url):
        self.url = url

    def of(self, service, region="us-east-1"):
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id=kit.CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=kit.CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )


@pytest.fixture(scope="module")
def rehearsal():
    desk = kit.Desk()
    rehearsal = desk.rehearsing()
    rehearsal.onair("sandbox", "reset", "--bare", *QUICK).expect()
    rehearsal.onair("provision", "--yes").expect()
    yield rehearsal
    desk.close()


@pytest.fixture(scope="module")
def hand(rehearsal):
    desk = rehearsal._copy()
    desk.options = []
    served = kit.Served(desk, *QUICK)
    yield Hand(served.url)
    served.close()


def pending(rehearsal, code):
    answer = rehearsal.onair("provision", "--dry-run").expect(code).json()
    return [step for step in answer["data"]["steps"] if step["action"] != "keep"]


def action_of_the_set_rule(hand):
    waf = hand.of("wafv2")
    (one,) = waf.list_web_acls(Scope="CLOUDFRONT")["WebACLs"]
    which = {"Name": one["Name"], "Id": one["Id"], "Scope": "CLOUDFRONT"}
    read = waf.get_web_acl(**which)
    acl = read["WebACL"]
    (rule,) = [rule for rule in acl["Rules"] if rule["Name"] == "onair-cup-final-block-v4"]
    rule["Action"] = {"Count": {}}
    kept = {name: acl[name] for name in ("DefaultAction", "Rules", "VisibilityConfig")}
    waf.update_web_acl(**which, **kept, LockToken=read["LockToken"])


def republish(hand, code, config):
    cloudfront = hand.of("cloudfront")
    etag = cloudfront.describe_function(Name=GATE)["ETag"]
    updated = cloudfront.update_function(Name=GATE, IfMatch=etag, FunctionConfig=config, FunctionCode=code)
    cloudfront.publish_function(Name=GATE, IfMatch=updated["ETag"])


def gate_as_it_is(hand):
    cloudfront = hand.of("cloudfront")
    config = cloudfront.describe_function(Name=GATE, Stage="LIVE")["FunctionSummary"]["FunctionConfig"]
    return config, cloudfront.get_function(Name=GATE, Stage="LIVE")["FunctionCode"].read()


def function_code(hand):
    config, _ = gate_as_it_is(hand)
    republish(hand, b"function handler(event) { return event.request; }", config)


def function_store(hand):
    config, code = gate_as_it_is(hand)
    del config["KeyValueStoreAssociations"]
    republish(hand, code, config)


def realtime_fields(hand):
    cloudfront = hand.of("cloudfront")
    config = cloudfront.get_realtime_log_config(Name="onair-cup-final-realtime")["RealtimeLogConfig"]
    fields = [field for field in config["Fields"] if field != "asn"]
    cloudfront.update_realtime_log_config(
        Name=config["Name"], Fields=fields, EndPoints=config["EndPoints"], SamplingRate=config["SamplingRate"]
    )


def delivery_fields(hand):
    logs = hand.of("logs")
    deliveries = logs.describe_deliveries()["deliveries"]
    (one,) = [one for one in deliveries if one["deliverySourceName"] == "onair-cup-final-main"]
    fields = [field for field in one["recordFields"] if field != "asn"]
    logs.update_delivery_configuration(id=one["id"], recordFields=fields)


def table_hours(hand):
    glue = hand.of("glue", "eu-central-1")
    table = glue.get_table(DatabaseName="cup_final", Name="access")["Table"]
    table["Parameters"]["projection.hour.range"] = "18,23"
    accepted = ("Name", "Parameters", "PartitionKeys", "StorageDescriptor", "TableType", "Description")
    wanted = {member: table[member] for member in accepted if member in table}
    glue.update_table(DatabaseName="cup_final", TableInput=wanted)


def alarm_threshold(hand):
    cloudwatch = hand.of("cloudwatch")
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=["onair-cup-final-main-OriginLatency"])["MetricAlarms"]
    alarm["Threshold"] = 5000.0
    known = cloudwatch.meta.service_model.operation_model("PutMetricAlarm").input_shape.members
    cloudwatch.put_metric_alarm(**{name: value for name, value in alarm.items() if name in known})


def stream_shards(hand):
    kinesis = hand.of("kinesis")
    name = "onair-cup-final-realtime"
    shards = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["OpenShardCount"]
    kinesis.update_shard_count(StreamName=name, TargetShardCount=shards - 1, ScalingType="UNIFORM_SCALING")


def geo_restriction(hand):
    cloudfront = hand.of("cloudfront")
    read = cloudfront.get_distribution_config(Id=MAIN)
    geo = read["DistributionConfig"]["Restrictions"]["GeoRestriction"]
    geo["Items"].remove("AT")
    geo["Quantity"] -= 1
    cloudfront.update_distribution(Id=MAIN, IfMatch=read["ETag"], DistributionConfig=read["DistributionConfig"])


EDITS = [
    (action_of_the_set_rule, "web-acl-rule", "onair-cup-final-block-v4"),
    (function_code, "function", GATE),
    (function_store, "function", GATE),
    (realtime_fields, "realtime-log-config", "onair-cup-final-realtime"),
    (delivery_fields, "log-delivery", "onair-cup-final-main"),
    (table_hours, "table", "cup_final.access"),
    (alarm_threshold, "alarm", "us-east-1/onair-cup-final-main-OriginLatency"),
    (stream_shards, "stream", "onair-cup-final-realtime"),
    (geo_restriction, "distribution", MAIN),
]


@pytest.mark.parametrize("edit, kind, name", EDITS, ids=[edit.__name__ for edit, _, _ in EDITS])
def test_a_hand_edit_is_the_only_difference_and_is_put_back(rehearsal, hand, edit, kind, name):
    assert pending(rehearsal, 0) == []
    edit(hand)
    found = pending(rehearsal, 3)
    assert [(step["kind"], step["name"], step["action"]) for step in found] == [(kind, name, "change")], found
    assert found[0]["changes"], found
    rehearsal.onair("provision", "--yes", "--confirm", "cup-final").expect()
    assert pending(rehearsal, 0) == []


def test_a_widget_that_was_edited_is_told_and_stays(rehearsal, hand):
    cloudwatch = hand.of("cloudwatch")
    body = json.loads(cloudwatch.get_dashboard(DashboardName="onair-cup-final")["DashboardBody"])
    edited = next(one for one in body["widgets"] if one["type"] == "metric")
    edited["properties"]["title"] = "ours"
    cloudwatch.put_dashboard(DashboardName="onair-cup-final", DashboardBody=json.dumps(body))
    answer = rehearsal.onair("provision", "--dry-run").expect().json()
    (step,) = [step for step in answer["data"]["steps"] if step["kind"] == "dashboard"]
    assert step["action"] == "keep" and step["note"].startswith("1 widget changed by hand"), step
    rehearsal.onair("provision", "--yes").expect()
    body = json.loads(cloudwatch.get_dashboard(DashboardName="onair-cup-final")["DashboardBody"])
    assert edited in body["widgets"]
    rehearsal.onair("dashboard", "diff").expect(3)


def test_what_was_set_live_stands_through_a_provision(rehearsal, hand):
    rehearsal.onair("event", "phase", "live", "--yes").expect()
    rehearsal.onair("block", "192.0.2.7", "--for", "2h", "--yes").expect()
    rehearsal.onair("geo", "block", "IT", "--confirm", "Italy").expect()
    rehearsal.onair("token", "mode", "log", "--yes", "--confirm", "cup-final").expect()
    alarm_threshold(hand)
    rehearsal.onair(
        "provision", "--yes", "--confirm", "cup-final", "--break-glass", "-m", "the threshold was moved"
    ).expect()
    assert pending(rehearsal, 0) == []
    waf = hand.of("wafv2")
    sets = {one["Name"]: one["Id"] for one in waf.list_ip_sets(Scope="CLOUDFRONT")["IPSets"]}
    name = "onair-cup-final-block-v4"
    blocked = waf.get_ip_set(Name=name, Id=sets[name], Scope="CLOUDFRONT")["IPSet"]["Addresses"]
    assert blocked == ["192.0.2.7/32"]
    config = hand.of("cloudfront").get_distribution_config(Id=MAIN)["DistributionConfig"]
    assert "IT" not in config["Restrictions"]["GeoRestriction"]["Items"]
    mode = rehearsal.onair("token", "mode").expect().json()["data"]
    assert mode["mode"] == "log", mode
