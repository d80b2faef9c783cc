"""AWS WAF: every operation with boto3, created, read, in conflict, at its limit and wrong."""

import uuid

import pytest

import kit

SCOPE = {"Scope": "CLOUDFRONT"}
VISIBILITY = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "tests"}
SOME_ID = str(uuid.uuid4())


def name():
    return f"t-{uuid.uuid4().hex[:12]}"


def make_set(waf, version="IPV4", addresses=(), **more):
    made = waf.create_ip_set(
        Name=name(), IPAddressVersion=version, Addresses=list(addresses), **SCOPE, **more
    )
    return made["Summary"]


def key(summary):
    return {"Name": summary["Name"], "Id": summary["Id"], **SCOPE}


def blocklist_rule(arn, priority=0):
    return {
        "Name": f"blocklist-{priority}",
        "Priority": priority,
        "Statement": {"IPSetReferenceStatement": {"ARN": arn}},
        "Action": {"Block": {}},
        "VisibilityConfig": {**VISIBILITY, "MetricName": f"blocklist{priority}"},
    }


def make_acl(waf, rules=(), **more):
    made = waf.create_web_acl(
        Name=name(), DefaultAction={"Allow": {}}, VisibilityConfig=VISIBILITY, Rules=list(rules), **SCOPE, **more
    )
    return made["Summary"]


def test_an_ip_set_is_made_read_replaced_listed_and_deleted(waf):
    made = make_set(waf, addresses=["192.0.2.0/24"], Description="made by tests")
    read = waf.get_ip_set(**key(made))
    assert read["IPSet"]["Addresses"] == ["192.0.2.0/24"]
    assert read["IPSet"]["Description"] == "made by tests"
    assert read["IPSet"]["ARN"] == made["ARN"]
    assert read["LockToken"] == made["LockToken"]
    updated = waf.update_ip_set(**key(made), Addresses=["198.51.100.7/32"], LockToken=made["LockToken"])
    again = waf.get_ip_set(**key(made))
    assert again["IPSet"]["Addresses"] == ["198.51.100.7/32"]
    assert again["LockToken"] == updated["NextLockToken"] != made["LockToken"]
    assert made["Id"] in [one["Id"] for one in waf.list_ip_sets(**SCOPE)["IPSets"]]
    waf.delete_ip_set(**key(made), LockToken=updated["NextLockToken"])
    assert kit.refused(waf.get_ip_set, **key(made)) == "WAFNonexistentItemException"


def test_a_stale_lock_token_changes_nothing(waf):
    made = make_set(waf, addresses=["192.0.2.1/32"])
    waf.update_ip_set(**key(made), Addresses=["192.0.2.2/32"], LockToken=made["LockToken"])
    code = kit.refused(waf.update_ip_set, **key(made), Addresses=["192.0.2.3/32"], LockToken=made["LockToken"])
    assert code == "WAFOptimisticLockException"
    assert kit.refused(waf.delete_ip_set, **key(made), LockToken=made["LockToken"]) == "WAFOptimisticLockException"
    assert waf.get_ip_set(**key(made))["IPSet"]["Addresses"] == ["192.0.2.2/32"]


@pytest.mark.parametrize(
    ("version", "address"),
    [
        ("IPV4", "0.0.0.0/0"),
        ("IPV4", "192.0.2.1"),
        ("IPV4", "192.0.2.1/24"),
        ("IPV4", "2001:db8::/32"),
        ("IPV4", "192.0.2.0/33"),
        ("IPV6", "::/0"),
        ("IPV6", "192.0.2.0/24"),
        ("IPV6", "2001:db8::1/64"),
    ],
)
def test_what_no_set_can_hold_is_refused(waf, version, address):
    made = make_set(waf, version)
    code = kit.refused(waf.update_ip_set, **key(made), Addresses=[address], LockToken=made["LockToken"])
    assert code == "WAFInvalidParameterException"
    code = kit.refused(waf.create_ip_set, Name=name(), IPAddressVersion=version, Addresses=[address], **SCOPE)
    assert code == "WAFInvalidParameterException"


def test_a_set_holds_ten_thousand_addresses(waf):
    addresses = [f"10.{number >> 8}.{number & 255}.0/24" for number in range(10_001)]
    made = make_set(waf, addresses=addresses[:10_000])
    code = kit.refused(waf.update_ip_set, **key(made), Addresses=addresses, LockToken=made["LockToken"])
    assert code == "WAFLimitsExceededException"
    assert len(waf.get_ip_set(**key(made))["IPSet"]["Addresses"]) == 10_000
    waf.delete_ip_set(**key(made), LockToken=made["LockToken"])


def test_an_account_holds_a_hundred_sets(waf):
    made = []
    code = None
    while code is None and len(made) <= 100:
        try:
            made.append(make_set(waf))
        except waf.exceptions.WAFLimitsExceededException as error:
            code = error.response["Error"]["Code"]
    assert code == "WAFLimitsExceededException"
    pages, marker = [], {}
    while True:
        page = waf.list_ip_sets(**SCOPE, Limit=30, **marker)
        pages.append(len(page["IPSets"]))
        if "NextMarker" not in page:
            break
        marker = {"NextMarker": page["NextMarker"]}
    assert pages == [30, 30, 30, 10]
    for one in made:
        waf.delete_ip_set(**key(one), LockToken=one["LockToken"])


def test_names_scopes_and_types_are_checked(waf, served, strict):
    made = make_set(waf)
    again = dict(Name=made["Name"], IPAddressVersion="IPV4", Addresses=[], **SCOPE)
    assert kit.refused(waf.create_ip_set, **again) == "WAFDuplicateItemException"
    assert kit.refused(waf.create_ip_set, **{**again, "Name": "no spaces"}) == "ValidationException"
    assert kit.refused(waf.create_ip_set, **{**again, "Name": name(), "Scope": "REGIONAL"}) == "WAFInvalidOperationException"
    assert kit.refused(waf.get_ip_set, Name=made["Name"], Id=SOME_ID, **SCOPE) == "WAFNonexistentItemException"
    assert kit.refused(waf.delete_ip_set, Name=made["Name"], Id=SOME_ID, LockToken=SOME_ID, **SCOPE) == "WAFNonexistentItemException"
    assert kit.refused(waf.list_ip_sets, Scope="CLOUD") == "ValidationException"
    elsewhere = kit.boto3.client(
        "wafv2",
        endpoint_url=served.url,
        region_name="eu-central-1",
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="made-up-for-tests",
    )
    elsewhere.meta.events.register("before-parse.*.*", strict.look)
    assert kit.refused(elsewhere.list_ip_sets, **SCOPE) == "WAFInvalidParameterException"


def test_a_web_acl_is_made_read_replaced_listed_and_deleted(waf):
    blocked = make_set(waf, addresses=["192.0.2.0/24"])
    made = make_acl(waf, [blocklist_rule(blocked["ARN"])], Description="made by tests")
    read = waf.get_web_acl(**key(made))
    assert read["WebACL"]["Rules"] == [blocklist_rule(blocked["ARN"])]
    assert read["WebACL"]["Capacity"] == 1
    assert waf.get_web_acl(ARN=made["ARN"])["WebACL"]["Id"] == made["Id"]
    assert kit.refused(waf.delete_ip_set, **key(blocked), LockToken=blocked["LockToken"]) == "WAFAssociatedItemException"
    change = dict(DefaultAction={"Block": {}}, VisibilityConfig=VISIBILITY, Rules=[])
    updated = waf.update_web_acl(**key(made), LockToken=made["LockToken"], **change)
    assert waf.get_web_acl(**key(made))["WebACL"]["DefaultAction"] == {"Block": {}}
    stale = kit.refused(waf.update_web_acl, **key(made), LockToken=made["LockToken"], **change)
    assert stale == "WAFOptimisticLockException"
    assert kit.refused(waf.delete_web_acl, **key(made), LockToken=made["LockToken"]) == "WAFOptimisticLockException"
    assert made["Id"] in [one["Id"] for one in waf.list_web_acls(**SCOPE)["WebACLs"]]
    waf.delete_web_acl(**key(made), LockToken=updated["NextLockToken"])
    assert kit.refused(waf.get_web_acl, **key(made)) == "WAFNonexistentItemException"
    assert kit.refused(waf.list_web_acls, Scope="CLOUD") == "ValidationException"
    waf.delete_ip_set(**key(blocked), LockToken=blocked["LockToken"])


def test_rules_that_the_service_refuses(waf):
    missing = f"arn:aws:wafv2:us-east-1:{kit.ACCOUNT}:global/ipset/none/{SOME_ID}"
    make = dict(DefaultAction={"Allow": {}}, VisibilityConfig=VISIBILITY, **SCOPE)
    code = kit.refused(waf.create_web_acl, Name=name(), Rules=[blocklist_rule(missing)], **make)
    assert code == "WAFNonexistentItemException"
    geo = lambda code, priority: {
        **blocklist_rule("", priority),
        "Statement": {"GeoMatchStatement": {"CountryCodes": [code]}},
    }
    code = kit.refused(waf.create_web_acl, Name=name(), Rules=[geo("AT", 1), geo("DE", 1)], **make)
    assert code == "WAFInvalidParameterException"
    made = make_acl(waf)
    again = {**make, "Name": made["Name"]}
    assert kit.refused(waf.create_web_acl, **again) == "WAFDuplicateItemException"
    missing_acl = {"Name": made["Name"], "Id": SOME_ID, **SCOPE}
    update = dict(DefaultAction={"Allow": {}}, VisibilityConfig=VISIBILITY)
    assert kit.refused(waf.update_web_acl, **missing_acl, LockToken=SOME_ID, **update) == "WAFNonexistentItemException"
    assert kit.refused(waf.delete_web_acl, **missing_acl, LockToken=SOME_ID) == "WAFNonexistentItemException"


def test_a_web_acl_in_use_stays(waf, cloudfront):
    behind = cloudfront.get_distribution_config(Id="E1CUPFINAL0001")["DistributionConfig"]["WebACLId"]
    used = waf.get_web_acl(ARN=behind)
    code = kit.refused(waf.delete_web_acl, **key(used["WebACL"]), LockToken=used["LockToken"])
    assert code == "WAFAssociatedItemException"


def test_an_account_holds_a_hundred_web_acls(waf):
    made = []
    code = None
    while code is None and len(made) <= 100:
        try:
            made.append(make_acl(waf))
        except waf.exceptions.WAFLimitsExceededException as error:
            code = error.response["Error"]["Code"]
    assert code == "WAFLimitsExceededException"
    first = waf.list_web_acls(**SCOPE, Limit=60)
    rest = waf.list_web_acls(**SCOPE, Limit=60, NextMarker=first["NextMarker"])
    assert (len(first["WebACLs"]), len(rest["WebACLs"])) == (60, 40)
    for one in made:
        waf.delete_web_acl(**key(one), LockToken=one["LockToken"])


def test_capacity_is_told_before_it_is_bought(waf):
    managed = {
        "Name": "reputation",
        "Priority": 1,
        "Statement": {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": "AWSManagedRulesAmazonIpReputationList"}},
        "OverrideAction": {"None": {}},
        "VisibilityConfig": VISIBILITY,
    }
    assert waf.check_capacity(Rules=[managed], **SCOPE)["Capacity"] == 25
    unknown = f"arn:aws:wafv2:us-east-1:{kit.ACCOUNT}:global/ipset/none/{SOME_ID}"
    code = kit.refused(waf.check_capacity, Rules=[blocklist_rule(unknown)], **SCOPE)
    assert code == "WAFNonexistentItemException"


def test_managed_groups_are_listed_and_described(waf):
    first = waf.list_available_managed_rule_groups(**SCOPE, Limit=4)
    assert len(first["ManagedRuleGroups"]) == 4
    rest = waf.list_available_managed_rule_groups(**SCOPE, NextMarker=first["NextMarker"])
    names = [one["Name"] for one in first["ManagedRuleGroups"] + rest["ManagedRuleGroups"]]
    assert len(names) == len(set(names))
    for group in names:
        described = waf.describe_managed_rule_group(VendorName="AWS", Name=group, **SCOPE)
        assert described["Capacity"] > 0
    code = kit.refused(waf.describe_managed_rule_group, VendorName="AWS", Name="none", **SCOPE)
    assert code == "WAFNonexistentItemException"
    assert kit.refused(waf.list_available_managed_rule_groups, Scope="CLOUD") == "ValidationException"


def test_tags_are_put_listed_and_taken_away(waf):
    made = make_set(waf, Tags=[{"Key": "event", "Value": "cup-final"}])
    arn = {"ResourceARN": made["ARN"]}
    waf.tag_resource(**arn, Tags=[{"Key": "owner", "Value": "jess"}])
    listed = waf.list_tags_for_resource(**arn)["TagInfoForResource"]
    assert {tag["Key"]: tag["Value"] for tag in listed["TagList"]} == {"event": "cup-final", "owner": "jess"}
    waf.untag_resource(**arn, TagKeys=["event"])
    listed = waf.list_tags_for_resource(**arn)["TagInfoForResource"]
    assert listed["TagList"] == [{"Key": "owner", "Value": "jess"}]
    many = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    assert kit.refused(waf.tag_resource, **arn, Tags=many) == "WAFLimitsExceededException"
    code = kit.refused(waf.tag_resource, **arn, Tags=[{"Key": "aws:x", "Value": ""}])
    assert code == "WAFInvalidParameterException"
    gone = {"ResourceARN": f"{made['ARN'][:-4]}0000"}
    assert kit.refused(waf.list_tags_for_resource, **gone) == "WAFNonexistentItemException"
    assert kit.refused(waf.tag_resource, **gone, Tags=many[:1]) == "WAFNonexistentItemException"
    assert kit.refused(waf.untag_resource, **gone, TagKeys=["k"]) == "WAFNonexistentItemException"
    waf.delete_ip_set(**key(made), LockToken=made["LockToken"])


def test_samples_show_what_viewers_asked(waf, cloudfront, served):
    behind = cloudfront.get_distribution_config(Id="E1CUPFINAL0001")["DistributionConfig"]["WebACLId"]
    acl = waf.get_web_acl(ARN=behind)["WebACL"]
    metric = acl["VisibilityConfig"]["MetricName"]
    request = kit.urllib.request.Request(
        f"{served.url}/cup-final/master.m3u8", headers={"Host": "live.example.com", "X-Forwarded-For": "192.0.2.77"}
    )
    try:
        kit.urllib.request.urlopen(request, timeout=5).close()
    except kit.urllib.error.HTTPError as error:
        error.close()
    # The cloud's clock is not this machine's: it tells its own time when asked for too much.
    described = cloudfront.list_distributions()["ResponseMetadata"]
    assert described["HTTPStatusCode"] == 200
    now = served.now()
    window = {"StartTime": now - kit.datetime.timedelta(hours=1), "EndTime": now}
    asked = dict(WebAclArn=behind, RuleMetricName=metric, MaxItems=100, **SCOPE)
    answer = waf.get_sampled_requests(**asked, TimeWindow=window)
    assert answer["PopulationSize"] >= len(answer["SampledRequests"])
    backwards = {"StartTime": now, "EndTime": now - kit.datetime.timedelta(hours=1)}
    assert kit.refused(waf.get_sampled_requests, **asked, TimeWindow=backwards) == "WAFInvalidParameterException"
    unknown = {**asked, "WebAclArn": f"{behind[:-4]}0000"}
    assert kit.refused(waf.get_sampled_requests, **unknown, TimeWindow=window) == "WAFNonexistentItemException"
    assert kit.refused(waf.get_sampled_requests, **{**asked, "MaxItems": 501}, TimeWindow=window) == "ValidationException"


def test_an_operation_that_is_not_here_says_so(waf):
    assert kit.refused(waf.list_regex_pattern_sets, **SCOPE) == "UnknownOperationException"


def blocking(response, **more):
    return {
        **blocklist_rule("", 1),
        "Statement": {"GeoMatchStatement": {"CountryCodes": ["US"]}},
        "Action": {"Block": {"CustomResponse": response}},
        **more,
    }


@pytest.mark.parametrize(
    ("rule", "right"),
    [
        (blocking({"ResponseCode": 403, "ResponseHeaders": [{"Name": "x-why", "Value": "region"}]}), True),
        (blocking({"ResponseCode": 451}), False),
        (blocking({"ResponseCode": 403, "CustomResponseBodyKey": "none"}), False),
        (blocking({"ResponseCode": 403, "ResponseHeaders": [{"Name": "Content-Type", "Value": "a/b"}]}), False),
        (blocking({"ResponseCode": 403}, RuleLabels=[{"Name": "team:seen"}]), True),
        (blocking({"ResponseCode": 403}, RuleLabels=[{"Name": "awswaf:clientip:geo:country:US"}]), False),
    ],
)
def test_answers_and_labels_of_rules_are_checked(waf, rule, right):
    make = dict(Name=name(), DefaultAction={"Allow": {}}, VisibilityConfig=VISIBILITY, Rules=[rule], **SCOPE)
    if not right:
        assert kit.refused(waf.create_web_acl, **make) == "WAFInvalidParameterException"
        return
    made = waf.create_web_acl(**make)["Summary"]
    assert waf.get_web_acl(**key(made))["WebACL"]["Rules"] == [rule]
    waf.delete_web_acl(**key(made), LockToken=made["LockToken"])


def test_rules_of_an_events_kinds_are_held_as_they_were_sent(waf):
    label = lambda region: {"LabelMatchStatement": {"Scope": "LABEL", "Key": f"awswaf:clientip:geo:region:{region}"}}
    seen = {**blocklist_rule("", 0), "Name": "labels", "Action": {"Count": {}}}
    seen["Statement"] = {"GeoMatchStatement": {"CountryCodes": ["US"]}}
    outside = {"NotStatement": {"Statement": {"OrStatement": {"Statements": [label("US-MA"), label("US-NH")]}}}}
    rights = {**blocking({"ResponseCode": 403}), "Name": "rights"}
    rights["Statement"] = {"AndStatement": {"Statements": [seen["Statement"], outside]}}
    rate = {**blocklist_rule("", 2), "Name": "rate", "Action": {"Count": {}}}
    rate["Statement"] = {"RateBasedStatement": {"Limit": 3000, "EvaluationWindowSec": 300, "AggregateKeyType": "IP"}}
    rules = [seen, rights, rate]
    assert waf.check_capacity(Rules=rules, **SCOPE)["Capacity"] == 1 + 3 + 2
    made = make_acl(waf, rules)
    read = waf.get_web_acl(**key(made))
    assert read["WebACL"]["Rules"] == rules
    for limit, window in ((2_000_000_001, 300), (3000, 90)):
        rate["Statement"]["RateBasedStatement"].update(Limit=limit, EvaluationWindowSec=window)
        code = kit.refused(waf.check_capacity, Rules=rules, **SCOPE)
        assert code == "WAFInvalidParameterException", (limit, window)
    waf.delete_web_acl(**key(made), LockToken=read["LockToken"])
