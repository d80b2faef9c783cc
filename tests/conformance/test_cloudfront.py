"""CloudFront's control plane: every operation with boto3, created, read, in conflict, at its limit
and wrong."""

import copy
import json
import uuid

import pytest

import kit

SEEDED = "E1CUPFINAL0001"


def name():
    return f"t-{uuid.uuid4().hex[:12]}"


def least():
    """The least configuration that the service takes."""
    return {
        "CallerReference": name(),
        "Comment": "made by tests & boto3 <3",
        "Enabled": False,
        "Origins": {
            "Quantity": 1,
            "Items": [
                {
                    "Id": "one",
                    "DomainName": "origin.example.com",
                    "CustomOriginConfig": {
                        "HTTPPort": 80,
                        "HTTPSPort": 443,
                        "OriginProtocolPolicy": "https-only",
                    },
                }
            ],
        },
        "DefaultCacheBehavior": {
            "TargetOriginId": "one",
            "ViewerProtocolPolicy": "redirect-to-https",
            "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
        },
    }


@pytest.fixture
def made(cloudfront):
    answer = cloudfront.create_distribution(DistributionConfig=least())
    yield answer
    with_etag = cloudfront.get_distribution_config(Id=answer["Distribution"]["Id"])
    cloudfront.delete_distribution(Id=answer["Distribution"]["Id"], IfMatch=with_etag["ETag"])


def test_a_distribution_is_made_read_replaced_listed_and_deleted(cloudfront):
    made = cloudfront.create_distribution(DistributionConfig=least())
    id = made["Distribution"]["Id"]
    assert made["Location"].endswith(f"/distribution/{id}")
    read = cloudfront.get_distribution(Id=id)
    assert read["ETag"] == made["ETag"]
    assert read["Distribution"]["DistributionConfig"]["Comment"] == "made by tests & boto3 <3"
    config = cloudfront.get_distribution_config(Id=id)
    changed = copy.deepcopy(config["DistributionConfig"])
    changed["Comment"] = "changed"
    changed["Restrictions"] = {
        "GeoRestriction": {"RestrictionType": "blacklist", "Quantity": 2, "Items": ["KP", "RU"]}
    }
    updated = cloudfront.update_distribution(Id=id, IfMatch=config["ETag"], DistributionConfig=changed)
    assert updated["ETag"] != config["ETag"]
    again = cloudfront.get_distribution_config(Id=id)
    geo = again["DistributionConfig"]["Restrictions"]["GeoRestriction"]
    assert (geo["RestrictionType"], sorted(geo["Items"])) == ("blacklist", ["KP", "RU"])
    unchanged = {**again["DistributionConfig"], "Comment": "", "Restrictions": None}
    assert unchanged == {**config["DistributionConfig"], "Comment": "", "Restrictions": None}
    listed = cloudfront.list_distributions()["DistributionList"]
    assert id in [one["Id"] for one in listed["Items"]]
    assert listed["Quantity"] == len(listed["Items"])
    cloudfront.get_waiter("distribution_deployed").wait(Id=id, WaiterConfig={"Delay": 1, "MaxAttempts": 5})
    cloudfront.delete_distribution(Id=id, IfMatch=again["ETag"])
    assert kit.refused(cloudfront.get_distribution, Id=id) == "NoSuchDistribution"
    assert kit.refused(cloudfront.get_distribution_config, Id=id) == "NoSuchDistribution"


def test_versions_are_conditions(cloudfront, made):
    id = made["Distribution"]["Id"]
    config = cloudfront.get_distribution_config(Id=id)
    document = config["DistributionConfig"]
    cloudfront.update_distribution(Id=id, IfMatch=config["ETag"], DistributionConfig=document)
    stale = dict(Id=id, IfMatch=config["ETag"])
    assert kit.refused(cloudfront.update_distribution, **stale, DistributionConfig=document) == "PreconditionFailed"
    assert kit.refused(cloudfront.update_distribution, Id=id, DistributionConfig=document) == "InvalidIfMatchVersion"
    never = dict(Id=id, IfMatch="E0NEVER000000X")
    code = kit.refused(cloudfront.update_distribution, **never, DistributionConfig=document)
    assert code in ("InvalidIfMatchVersion", "PreconditionFailed")
    assert kit.refused(cloudfront.delete_distribution, **stale) == "PreconditionFailed"
    assert kit.refused(cloudfront.delete_distribution, Id=id) == "InvalidIfMatchVersion"


def wrong(change):
    config = least()
    change(config)
    return config


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda c: c["Origins"].update(Quantity=2), "InconsistentQuantities"),
        (lambda c: c["DefaultCacheBehavior"].update(TargetOriginId="two"), "NoSuchOrigin"),
        (
            lambda c: c.update(
                Restrictions={"GeoRestriction": {"RestrictionType": "blacklist", "Quantity": 1, "Items": ["XX"]}}
            ),
            "InvalidLocationCode",
        ),
        (
            lambda c: c.update(Restrictions={"GeoRestriction": {"RestrictionType": "whitelist", "Quantity": 0}}),
            "InvalidGeoRestrictionParameter",
        ),
        (lambda c: c.update(WebACLId="arn:aws:wafv2:us-east-1:111122223333:global/webacl/x/y"), "InvalidWebACLId"),
    ],
)
def test_configurations_that_the_service_refuses(cloudfront, change, code):
    assert kit.refused(cloudfront.create_distribution, DistributionConfig=wrong(change)) == code


def test_what_an_update_may_not_do(cloudfront, made):
    id = made["Distribution"]["Id"]
    config = cloudfront.get_distribution_config(Id=id)
    update = dict(Id=id, IfMatch=config["ETag"])
    other = {**config["DistributionConfig"], "CallerReference": "another"}
    assert kit.refused(cloudfront.update_distribution, **update, DistributionConfig=other) == "IllegalUpdate"
    unknown = {**config["DistributionConfig"]}
    unknown["Restrictions"] = {"GeoRestriction": {"RestrictionType": "whitelist", "Quantity": 1, "Items": ["UK"]}}
    code = kit.refused(cloudfront.update_distribution, **update, DistributionConfig=unknown)
    assert code == "InvalidLocationCode"
    gone = dict(Id="E0000000000000", IfMatch="E0000000000000")
    code = kit.refused(cloudfront.update_distribution, **gone, DistributionConfig=config["DistributionConfig"])
    assert code == "NoSuchDistribution"
    assert kit.refused(cloudfront.delete_distribution, **gone) == "NoSuchDistribution"


def test_a_caller_reference_is_used_once(cloudfront, made):
    same = least()
    same["CallerReference"] = made["Distribution"]["DistributionConfig"]["CallerReference"]
    assert kit.refused(cloudfront.create_distribution, DistributionConfig=same) == "DistributionAlreadyExists"


def test_a_distribution_in_service_stays(cloudfront):
    config = cloudfront.get_distribution_config(Id=SEEDED)
    code = kit.refused(cloudfront.delete_distribution, Id=SEEDED, IfMatch=config["ETag"])
    assert code == "DistributionNotDisabled"


def test_distributions_come_in_pages(cloudfront, made):
    first = cloudfront.list_distributions(MaxItems="1")["DistributionList"]
    assert first["IsTruncated"] and len(first["Items"]) == 1
    ids = [one["Id"] for page in cloudfront.get_paginator("list_distributions").paginate(PaginationConfig={"PageSize": 1}) for one in page["DistributionList"]["Items"]]
    assert len(ids) == len(set(ids)) >= 3
    assert kit.refused(cloudfront.list_distributions, MaxItems="none") == "InvalidArgument"


def test_tags_are_given_at_creation_put_listed_and_taken_away(cloudfront):
    tags = {"Items": [{"Key": "event", "Value": "cup-final"}]}
    made = cloudfront.create_distribution_with_tags(
        DistributionConfigWithTags={"DistributionConfig": least(), "Tags": tags}
    )
    resource = {"Resource": made["Distribution"]["ARN"]}
    cloudfront.tag_resource(**resource, Tags={"Items": [{"Key": "owner", "Value": "jess"}]})
    listed = cloudfront.list_tags_for_resource(**resource)["Tags"]["Items"]
    assert {tag["Key"]: tag["Value"] for tag in listed} == {"event": "cup-final", "owner": "jess"}
    cloudfront.untag_resource(**resource, TagKeys={"Items": ["event"]})
    assert cloudfront.list_tags_for_resource(**resource)["Tags"]["Items"] == [{"Key": "owner", "Value": "jess"}]
    many = {"Items": [{"Key": f"k{number}", "Value": "v"} for number in range(50)]}
    assert kit.refused(cloudfront.tag_resource, **resource, Tags=many) == "InvalidTagging"
    gone = {"Resource": f"arn:aws:cloudfront::{kit.ACCOUNT}:distribution/E0000000000000"}
    assert kit.refused(cloudfront.list_tags_for_resource, **gone) == "NoSuchResource"
    assert kit.refused(cloudfront.tag_resource, **gone, Tags=tags) == "NoSuchResource"
    assert kit.refused(cloudfront.untag_resource, **gone, TagKeys={"Items": ["k"]}) == "NoSuchResource"
    bad = {"DistributionConfig": least(), "Tags": {"Items": [{"Key": "aws:x", "Value": ""}]}}
    code = kit.refused(cloudfront.create_distribution_with_tags, DistributionConfigWithTags=bad)
    assert code == "InvalidTagging"
    cloudfront.delete_distribution(Id=made["Distribution"]["Id"], IfMatch=made["ETag"])


def test_a_web_acl_is_put_before_a_distribution_and_taken_away(cloudfront, waf, made):
    id = made["Distribution"]["Id"]
    behind = cloudfront.get_distribution_config(Id=SEEDED)["DistributionConfig"]["WebACLId"]
    stale = made["ETag"]
    put = cloudfront.associate_distribution_web_acl(Id=id, IfMatch=stale, WebACLArn=behind)
    assert put["WebACLArn"] == behind
    listed = cloudfront.list_distributions_by_web_acl_id(WebACLId=behind)["DistributionList"]
    assert id in [one["Id"] for one in listed["Items"]]
    code = kit.refused(cloudfront.associate_distribution_web_acl, Id=id, IfMatch=stale, WebACLArn=behind)
    assert code == "PreconditionFailed"
    assert kit.refused(cloudfront.disassociate_distribution_web_acl, Id=id, IfMatch=stale) == "PreconditionFailed"
    unknown = f"{behind[:-4]}0000"
    code = kit.refused(cloudfront.associate_distribution_web_acl, Id=id, IfMatch=put["ETag"], WebACLArn=unknown)
    assert code == "EntityNotFound"
    cloudfront.disassociate_distribution_web_acl(Id=id, IfMatch=put["ETag"])
    assert cloudfront.get_distribution_config(Id=id)["DistributionConfig"]["WebACLId"] == ""
    none = cloudfront.list_distributions_by_web_acl_id(WebACLId="null")["DistributionList"]
    assert id in [one["Id"] for one in none["Items"]]
    code = kit.refused(cloudfront.list_distributions_by_web_acl_id, WebACLId="no-arn")
    assert code == "InvalidWebACLId"
    gone = dict(Id="E0000000000000", IfMatch="E0000000000000")
    assert kit.refused(cloudfront.disassociate_distribution_web_acl, **gone) == "EntityNotFound"


def test_additional_metrics_are_switched_on_and_off(cloudfront, made):
    id = {"DistributionId": made["Distribution"]["Id"]}
    subscription = {
        "MonitoringSubscription": {
            "RealtimeMetricsSubscriptionConfig": {"RealtimeMetricsSubscriptionStatus": "Enabled"}
        }
    }
    assert kit.refused(cloudfront.get_monitoring_subscription, **id) == "NoSuchMonitoringSubscription"
    cloudfront.create_monitoring_subscription(**id, **subscription)
    read = cloudfront.get_monitoring_subscription(**id)["MonitoringSubscription"]
    assert read == subscription["MonitoringSubscription"]
    code = kit.refused(cloudfront.create_monitoring_subscription, **id, **subscription)
    assert code == "MonitoringSubscriptionAlreadyExists"
    cloudfront.delete_monitoring_subscription(**id)
    assert kit.refused(cloudfront.delete_monitoring_subscription, **id) == "NoSuchMonitoringSubscription"
    gone = {"DistributionId": "E0000000000000"}
    assert kit.refused(cloudfront.create_monitoring_subscription, **gone, **subscription) == "NoSuchDistribution"


def function_config(store=None):
    config = {"Comment": "made by tests", "Runtime": "cloudfront-js-2.0"}
    if store:
        config["KeyValueStoreAssociations"] = {"Quantity": 1, "Items": [{"KeyValueStoreARN": store}]}
    return config


CODE = b"async function handler(event) { return event.request; }\n"


def test_a_function_is_made_read_replaced_published_listed_and_deleted(cloudfront):
    name_of = {"Name": name()}
    made = cloudfront.create_function(**name_of, FunctionConfig=function_config(), FunctionCode=CODE)
    assert made["FunctionSummary"]["Status"] == "UNPUBLISHED"
    assert cloudfront.get_function(**name_of)["FunctionCode"].read() == CODE
    changed = dict(FunctionConfig=function_config(), FunctionCode=CODE + b"// more\n")
    updated = cloudfront.update_function(**name_of, IfMatch=made["ETag"], **changed)
    assert updated["ETag"] != made["ETag"]
    assert kit.refused(cloudfront.update_function, **name_of, IfMatch=made["ETag"], **changed) == "PreconditionFailed"
    assert kit.refused(cloudfront.publish_function, **name_of, IfMatch=made["ETag"]) == "PreconditionFailed"
    published = cloudfront.publish_function(**name_of, IfMatch=updated["ETag"])
    assert published["FunctionSummary"]["FunctionMetadata"]["Stage"] == "LIVE"
    live = cloudfront.describe_function(**name_of, Stage="LIVE")
    assert live["FunctionSummary"]["Status"] == "UNASSOCIATED"
    assert cloudfront.get_function(**name_of, Stage="LIVE")["FunctionCode"].read().endswith(b"// more\n")
    listed = cloudfront.list_functions(Stage="LIVE")["FunctionList"]
    assert name_of["Name"] in [one["Name"] for one in listed["Items"]]
    etag = cloudfront.describe_function(**name_of)["ETag"]
    assert kit.refused(cloudfront.delete_function, **name_of, IfMatch=made["ETag"]) == "PreconditionFailed"
    cloudfront.delete_function(**name_of, IfMatch=etag)
    for call in (cloudfront.describe_function, cloudfront.get_function):
        assert kit.refused(call, **name_of) == "NoSuchFunctionExists"
    assert kit.refused(cloudfront.delete_function, **name_of, IfMatch=etag) == "NoSuchFunctionExists"
    assert kit.refused(cloudfront.publish_function, **name_of, IfMatch=etag) == "NoSuchFunctionExists"
    assert kit.refused(cloudfront.update_function, **name_of, IfMatch=etag, **changed) == "NoSuchFunctionExists"


def test_functions_that_the_service_refuses(cloudfront):
    make = dict(FunctionConfig=function_config(), FunctionCode=CODE)
    taken = name()
    made = cloudfront.create_function(Name=taken, **make)
    assert kit.refused(cloudfront.create_function, Name=taken, **make) == "FunctionAlreadyExists"
    large = {**make, "FunctionCode": b"/" * 10_241}
    assert kit.refused(cloudfront.create_function, Name=name(), **large) == "FunctionSizeLimitExceeded"
    old = {**make, "FunctionConfig": {"Comment": "", "Runtime": "cloudfront-js-9.0"}}
    assert kit.refused(cloudfront.create_function, Name=name(), **old) == "InvalidArgument"
    assert kit.refused(cloudfront.list_functions, MaxItems="none") == "InvalidArgument"
    code = kit.refused(cloudfront.test_function, Name=taken, IfMatch=made["ETag"], EventObject=b"{}")
    assert code == "InvalidArgument"
    event = {"version": "1.0", "viewer": {"ip": "192.0.2.7"}, "request": {"method": "GET", "uri": "/"}}
    ran = cloudfront.test_function(Name=taken, IfMatch=made["ETag"], EventObject=json.dumps(event).encode())
    assert json.loads(ran["TestResult"]["FunctionOutput"])["request"]["uri"] == "/", ran
    cloudfront.delete_function(Name=taken, IfMatch=made["ETag"])


ANSWERING = b"""import cf from 'cloudfront';
async function handler(event) {
  console.log('asked for ' + event.request.uri);
  if (event.request.uri === '/throws') {
    throw new Error('not today');
  }
  if (event.request.uri === '/refused') {
    return { statusCode: 403, headers: { 'cache-control': { value: 'no-store' } } };
  }
  return event.request;
}
"""


def viewer_request(uri):
    request = {"method": "GET", "uri": uri, "querystring": {}, "headers": {}, "cookies": {}}
    event = {"version": "1.0", "context": {"eventType": "viewer-request"}, "viewer": {"ip": "192.0.2.1"}, "request": request}
    return json.dumps(event).encode()


def test_a_function_is_tried_on_an_event(cloudfront):
    name_of = {"Name": name()}
    made = cloudfront.create_function(**name_of, FunctionConfig=function_config(), FunctionCode=ANSWERING)
    version = {**name_of, "IfMatch": made["ETag"]}

    def tried(uri, **more):
        return cloudfront.test_function(**version, EventObject=viewer_request(uri), **more)["TestResult"]

    passed = tried("/live/a.m3u8", Stage="DEVELOPMENT")
    assert passed["FunctionSummary"]["Name"] == name_of["Name"]
    assert passed["FunctionErrorMessage"] == ""
    assert passed["FunctionExecutionLogs"] == ["asked for /live/a.m3u8"]
    assert 0 <= int(passed["ComputeUtilization"]) <= 100
    assert json.loads(passed["FunctionOutput"])["request"]["uri"] == "/live/a.m3u8"
    response = json.loads(tried("/refused")["FunctionOutput"])["response"]
    assert response["statusCode"] == 403
    # A function that throws is an answer, too.
    threw = tried("/throws")
    assert "not today" in threw["FunctionErrorMessage"]
    assert threw["FunctionOutput"] == ""

    event = {"EventObject": viewer_request("/")}
    stale = {**name_of, "IfMatch": "E0000000000000"}
    assert kit.refused(cloudfront.test_function, **stale, **event) == "InvalidIfMatchVersion"
    # Nothing is live before it is published.
    assert kit.refused(cloudfront.test_function, **version, Stage="LIVE", **event) == "NoSuchFunctionExists"
    for wrong in (b"{}", b"no JSON"):
        assert kit.refused(cloudfront.test_function, **version, EventObject=wrong) == "InvalidArgument"
    unknown = {"Name": name(), "IfMatch": made["ETag"]}
    assert kit.refused(cloudfront.test_function, **unknown, **event) == "NoSuchFunctionExists"
    cloudfront.publish_function(**version)
    live = cloudfront.describe_function(**name_of, Stage="LIVE")["ETag"]
    said = cloudfront.test_function(**name_of, IfMatch=live, Stage="LIVE", **event)["TestResult"]
    assert said["FunctionSummary"]["FunctionMetadata"]["Stage"] == "LIVE"
    cloudfront.delete_function(**version)


def test_a_function_in_use_stays(cloudfront):
    functions = cloudfront.list_functions(Stage="LIVE")["FunctionList"]["Items"]
    used = next(one["Name"] for one in functions if one["Status"] == "DEPLOYED")
    etag = cloudfront.describe_function(Name=used)["ETag"]
    assert kit.refused(cloudfront.delete_function, Name=used, IfMatch=etag) == "FunctionInUse"


def test_an_account_holds_a_hundred_functions(cloudfront):
    made = []
    code = None
    while code is None and len(made) <= 100:
        one = name()
        try:
            answer = cloudfront.create_function(Name=one, FunctionConfig=function_config(), FunctionCode=CODE)
            made.append((one, answer["ETag"]))
        except cloudfront.exceptions.TooManyFunctions as error:
            code = error.response["Error"]["Code"]
    assert code == "TooManyFunctions"
    first = cloudfront.list_functions(MaxItems="60")["FunctionList"]
    rest = cloudfront.list_functions(MaxItems="60", Marker=first["NextMarker"])["FunctionList"]
    names = {one["Name"] for one in first["Items"] + rest["Items"]}
    assert len(names) == 100 and "NextMarker" not in rest
    for one, etag in made:
        cloudfront.delete_function(Name=one, IfMatch=etag)


def test_a_key_value_store_is_made_described_replaced_listed_and_deleted(cloudfront):
    name_of = {"Name": name()}
    made = cloudfront.create_key_value_store(**name_of, Comment="made by tests")
    assert made["KeyValueStore"]["Status"] in ("PROVISIONING", "READY")
    assert kit.refused(cloudfront.create_key_value_store, **name_of) == "EntityAlreadyExists"
    described = cloudfront.describe_key_value_store(**name_of)
    assert described["ETag"] == made["ETag"]
    updated = cloudfront.update_key_value_store(**name_of, Comment="changed", IfMatch=made["ETag"])
    assert updated["KeyValueStore"]["Comment"] == "changed"
    stale = dict(**name_of, IfMatch=made["ETag"])
    assert kit.refused(cloudfront.update_key_value_store, **stale, Comment="") == "PreconditionFailed"
    assert kit.refused(cloudfront.delete_key_value_store, **stale) == "PreconditionFailed"
    listed = cloudfront.list_key_value_stores(Status="READY")["KeyValueStoreList"]
    assert name_of["Name"] in [one["Name"] for one in listed["Items"]]
    cloudfront.delete_key_value_store(**name_of, IfMatch=updated["ETag"])
    assert kit.refused(cloudfront.describe_key_value_store, **name_of) == "EntityNotFound"
    gone = dict(**name_of, IfMatch=updated["ETag"])
    assert kit.refused(cloudfront.update_key_value_store, **gone, Comment="") == "EntityNotFound"
    assert kit.refused(cloudfront.delete_key_value_store, **gone) == "EntityNotFound"
    assert kit.refused(cloudfront.list_key_value_stores, MaxItems="none") == "InvalidArgument"
    long = dict(Name=name(), Comment="c" * 129)
    assert kit.refused(cloudfront.create_key_value_store, **long) == "InvalidArgument"


def test_a_store_that_a_function_reads_stays(cloudfront):
    store = cloudfront.create_key_value_store(Name=name())
    arn = store["KeyValueStore"]["ARN"]
    reader = {"Name": name()}
    made = cloudfront.create_function(**reader, FunctionConfig=function_config(arn), FunctionCode=CODE)
    delete = dict(Name=store["KeyValueStore"]["Name"], IfMatch=store["ETag"])
    assert kit.refused(cloudfront.delete_key_value_store, **delete) == "CannotDeleteEntityWhileInUse"
    cloudfront.delete_function(**reader, IfMatch=made["ETag"])
    cloudfront.delete_key_value_store(**delete)


def test_an_account_holds_fifty_stores(cloudfront):
    made = []
    code = None
    while code is None and len(made) <= 50:
        one = name()
        try:
            made.append((one, cloudfront.create_key_value_store(Name=one)["ETag"]))
        except cloudfront.exceptions.EntityLimitExceeded as error:
            code = error.response["Error"]["Code"]
    assert code == "EntityLimitExceeded"
    pages = cloudfront.get_paginator("list_key_value_stores").paginate(PaginationConfig={"PageSize": 20})
    assert sum(len(page["KeyValueStoreList"]["Items"]) for page in pages) == 50
    for one, etag in made:
        cloudfront.delete_key_value_store(Name=one, IfMatch=etag)


def realtime_logs(**changes):
    config = {
        "Name": name(),
        "SamplingRate": 10,
        "Fields": ["cmcd-session-id", "c-ip", "timestamp"],
        "EndPoints": [
            {
                "StreamType": "Kinesis",
                "KinesisStreamConfig": {
                    "RoleARN": "arn:aws:iam::111122223333:role/logs",
                    "StreamARN": "arn:aws:kinesis:eu-central-1:111122223333:stream/logs",
                },
            }
        ],
    }
    return {**config, **changes}


def test_real_time_logs_are_configured_attached_and_deleted(cloudfront, made):
    config = realtime_logs()
    one = cloudfront.create_realtime_log_config(**config)["RealtimeLogConfig"]
    assert one["Fields"] == ["timestamp", "c-ip", "cmcd-session-id"], "in the order of delivery"
    assert kit.refused(cloudfront.create_realtime_log_config, **config) == "RealtimeLogConfigAlreadyExists"
    assert cloudfront.get_realtime_log_config(ARN=one["ARN"])["RealtimeLogConfig"] == one
    changed = cloudfront.update_realtime_log_config(Name=config["Name"], SamplingRate=100)["RealtimeLogConfig"]
    assert changed == {**one, "SamplingRate": 100}
    listed = cloudfront.list_realtime_log_configs()["RealtimeLogConfigs"]
    assert changed in listed["Items"] and listed["IsTruncated"] is False
    id = made["Distribution"]["Id"]
    read = cloudfront.get_distribution_config(Id=id)
    document = read["DistributionConfig"]
    document["DefaultCacheBehavior"]["RealtimeLogConfigArn"] = one["ARN"]
    update = dict(Id=id, DistributionConfig=document)
    attached = cloudfront.update_distribution(IfMatch=read["ETag"], **update)
    assert kit.refused(cloudfront.delete_realtime_log_config, Name=config["Name"]) == "RealtimeLogConfigInUse"
    document["DefaultCacheBehavior"]["RealtimeLogConfigArn"] = one["ARN"] + "x"
    assert kit.refused(cloudfront.update_distribution, IfMatch=attached["ETag"], **update) == "NoSuchRealtimeLogConfig"
    del document["DefaultCacheBehavior"]["RealtimeLogConfigArn"]
    cloudfront.update_distribution(IfMatch=attached["ETag"], **update)
    cloudfront.delete_realtime_log_config(Name=config["Name"])
    gone = dict(Name=config["Name"])
    assert kit.refused(cloudfront.get_realtime_log_config, **gone) == "NoSuchRealtimeLogConfig"
    assert kit.refused(cloudfront.update_realtime_log_config, **gone) == "NoSuchRealtimeLogConfig"
    assert kit.refused(cloudfront.delete_realtime_log_config, **gone) == "NoSuchRealtimeLogConfig"
    assert kit.refused(cloudfront.list_realtime_log_configs, MaxItems="none") == "InvalidArgument"


@pytest.mark.parametrize(
    "changes",
    [
        {"SamplingRate": 0},
        {"SamplingRate": 101},
        {"Fields": ["cmcd-sid"]},
        {"EndPoints": []},
        {"Name": "a b"},
    ],
)
def test_real_time_logs_that_cloudfront_refuses(cloudfront, changes):
    assert kit.refused(cloudfront.create_realtime_log_config, **realtime_logs(**changes)) == "InvalidArgument"


def test_policies_and_what_is_behind_an_origin_are_read(cloudfront):
    caching_disabled = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    assert cloudfront.get_cache_policy(Id=caching_disabled)["CachePolicy"]["Id"] == caching_disabled
    all_viewer = "216adef6-5c7f-47e4-b989-5492eafa07d3"
    assert cloudfront.get_origin_request_policy(Id=all_viewer)["OriginRequestPolicy"]["Id"] == all_viewer
    simple_cors = "60669652-455b-4ae9-85a4-c4c02393f86c"
    assert cloudfront.get_response_headers_policy(Id=simple_cors)["ResponseHeadersPolicy"]["Id"] == simple_cors
    (control, *_) = [
        origin["OriginAccessControlId"]
        for origin in cloudfront.get_distribution_config(Id=SEEDED)["DistributionConfig"]["Origins"]["Items"]
    ]
    assert cloudfront.get_origin_access_control(Id=control)["OriginAccessControl"]["Id"] == control
    gone = "00000000-0000-4000-8000-000000000000"
    assert kit.refused(cloudfront.get_cache_policy, Id=gone) == "NoSuchCachePolicy"
    assert kit.refused(cloudfront.get_origin_request_policy, Id=gone) == "NoSuchOriginRequestPolicy"
    assert kit.refused(cloudfront.get_response_headers_policy, Id=gone) == "NoSuchResponseHeadersPolicy"
    assert kit.refused(cloudfront.get_continuous_deployment_policy, Id=gone) == "NoSuchContinuousDeploymentPolicy"
    assert kit.refused(cloudfront.get_origin_access_control, Id="E0000000000000") == "NoSuchOriginAccessControl"
    assert kit.refused(cloudfront.get_vpc_origin, Id="vo_0000000000000") == "EntityNotFound"
