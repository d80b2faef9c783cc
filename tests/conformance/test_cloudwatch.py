"""CloudWatch with boto3: dashboards and their validation, alarms, tags, metric data."""

import datetime
import json
import uuid

import pytest

import kit

TEXT = {"type": "text", "x": 0, "y": 0, "width": 24, "height": 2, "properties": {"markdown": "# é & <b>"}}
UTC = datetime.timezone.utc


@pytest.fixture(scope="module")
def cloudwatch(served, strict):
    return kit.client("cloudwatch", served.url, strict)


def name():
    return f"onair-t-{uuid.uuid4().hex[:12]}"


def test_a_dashboard_is_made_read_listed_replaced_and_deleted(cloudwatch):
    dashboard = name()
    body = json.dumps({"widgets": [TEXT]}, ensure_ascii=False, indent=3)
    made = cloudwatch.put_dashboard(
        DashboardName=dashboard, DashboardBody=body, Tags=[{"Key": "onair:event", "Value": "t"}]
    )
    assert made["DashboardValidationMessages"] == []
    read = cloudwatch.get_dashboard(DashboardName=dashboard)
    assert read["DashboardBody"] == body
    assert cloudwatch.list_tags_for_resource(ResourceARN=read["DashboardArn"])["Tags"] == [
        {"Key": "onair:event", "Value": "t"}
    ]
    listed = cloudwatch.list_dashboards(DashboardNamePrefix=dashboard)["DashboardEntries"]
    assert [one["DashboardName"] for one in listed] == [dashboard]
    assert listed[0]["Size"] == len(body.encode())
    cloudwatch.put_dashboard(DashboardName=dashboard, DashboardBody='{"widgets":[]}')
    assert cloudwatch.get_dashboard(DashboardName=dashboard)["DashboardBody"] == '{"widgets":[]}'
    cloudwatch.delete_dashboards(DashboardNames=[dashboard])
    assert kit.refused(cloudwatch.get_dashboard, DashboardName=dashboard) == "ResourceNotFound"


def test_an_invalid_body_is_refused_with_where_and_why(cloudwatch):
    body = json.dumps({"widgets": [TEXT, {"type": "metric", "properties": {"metrics": [["a"]]}}]})
    with pytest.raises(cloudwatch.exceptions.DashboardInvalidInputError) as caught:
        cloudwatch.put_dashboard(DashboardName=name(), DashboardBody=body)
    assert caught.value.response["Error"]["Code"] == "InvalidParameterInput"
    paths = {one["DataPath"] for one in caught.value.response["dashboardValidationMessages"]}
    assert paths == {"/widgets/1/properties", "/widgets/1/properties/metrics/0"}


def test_a_warning_does_not_keep_it_from_being_stored(cloudwatch):
    dashboard = name()
    widget = {**TEXT, "properties": {"markdown": "x", "colour": "red"}}
    made = cloudwatch.put_dashboard(DashboardName=dashboard, DashboardBody=json.dumps({"widgets": [widget]}))
    assert made["DashboardValidationMessages"][0]["DataPath"] == "/widgets/0/properties/colour"
    assert cloudwatch.get_dashboard(DashboardName=dashboard)
    cloudwatch.delete_dashboards(DashboardNames=[dashboard])


def test_a_name_is_letters_digits_dashes_and_underscores(cloudwatch):
    assert (
        kit.refused(cloudwatch.put_dashboard, DashboardName="no spaces", DashboardBody='{"widgets":[]}')
        == "InvalidParameterInput"
    )


def alarm(**more):
    return {
        "AlarmName": name(),
        "Namespace": "AWS/CloudFront",
        "MetricName": "5xxErrorRate",
        "Dimensions": [{"Name": "DistributionId", "Value": "E1CUPFINAL0001"}, {"Name": "Region", "Value": "Global"}],
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 5,
        "DatapointsToAlarm": 3,
        "Threshold": 99,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        "Tags": [{"Key": "k", "Value": "v"}],
        **more,
    }


def test_an_alarm_is_put_described_tagged_and_deleted(cloudwatch):
    wanted = alarm()
    cloudwatch.put_metric_alarm(**wanted)
    (read,) = cloudwatch.describe_alarms(AlarmNames=[wanted["AlarmName"]])["MetricAlarms"]
    for member in set(wanted) - {"Tags"}:
        assert read[member] == wanted[member], member
    assert read["StateValue"] == "OK"
    arn = read["AlarmArn"]
    cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": "a", "Value": "b"}])
    cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["k"])
    assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    cloudwatch.delete_alarms(AlarmNames=[wanted["AlarmName"]])
    assert cloudwatch.describe_alarms(AlarmNames=[wanted["AlarmName"]])["MetricAlarms"] == []
    assert kit.refused(cloudwatch.delete_alarms, AlarmNames=[wanted["AlarmName"]]) == "ResourceNotFound"
    assert kit.refused(cloudwatch.list_tags_for_resource, ResourceARN=arn) == "ResourceNotFoundException"


@pytest.mark.parametrize(
    "wrong",
    [
        {"Period": 45},
        {"EvaluationPeriods": 2},
        {"TreatMissingData": "forget"},
        {"AlarmActions": ["arn:aws:sns:eu-west-1:111122223333:crew"]},
        {"AlarmActions": ["crew"]},
        {"Period": 86400, "EvaluationPeriods": 8},
        {"ExtendedStatistic": "p90"},
    ],
)
def test_what_an_alarm_must_not_be(cloudwatch, wrong):
    assert kit.refused(cloudwatch.put_metric_alarm, **alarm(**wrong)) == "ValidationError"


def test_alarms_come_in_pages(cloudwatch):
    prefix = name()
    for number in range(3):
        cloudwatch.put_metric_alarm(**alarm(AlarmName=f"{prefix}-{number}"))
    pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=prefix, MaxRecords=2)
    sizes = [len(page["MetricAlarms"]) for page in pages]
    assert sizes == [2, 1]
    cloudwatch.delete_alarms(AlarmNames=[f"{prefix}-{number}" for number in range(3)])


def requests(dimensions, **more):
    return {
        "Id": "m1",
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/CloudFront",
                "MetricName": "Requests",
                "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
            },
            "Period": 60,
            "Stat": "Sum",
        },
        **more,
    }


WHOLE = {"DistributionId": "E1CUPFINAL0001", "Region": "Global"}


@pytest.fixture(scope="module")
def window(cloudwatch):
    """The last hour of the embedded cloud's clock, which is not this machine's."""
    before_doors = datetime.datetime(2026, 6, 13, 17, 0, tzinfo=UTC)
    return {"StartTime": before_doors - datetime.timedelta(hours=2), "EndTime": before_doors}


def test_metric_data_needs_every_dimension(cloudwatch, window):
    (whole,) = cloudwatch.get_metric_data(MetricDataQueries=[requests(WHOLE)], **window)["MetricDataResults"]
    assert whole["StatusCode"] == "Complete"
    assert len(whole["Values"]) == len(whole["Timestamps"]) > 0
    assert whole["Timestamps"] == sorted(whole["Timestamps"], reverse=True)
    lacking = {"DistributionId": "E1CUPFINAL0001"}
    (empty,) = cloudwatch.get_metric_data(MetricDataQueries=[requests(lacking)], **window)["MetricDataResults"]
    assert (empty["Values"], empty["StatusCode"]) == ([], "Complete")


def test_math_and_pages(cloudwatch, window):
    queries = [requests(WHOLE, ReturnData=False), {"Id": "e1", "Expression": "m1/PERIOD(m1)", "Label": "a second"}]
    ask = {"MetricDataQueries": queries, "ScanBy": "TimestampAscending", **window}
    (whole,) = cloudwatch.get_metric_data(**ask)["MetricDataResults"]
    paged = []
    for page in cloudwatch.get_paginator("get_metric_data").paginate(
        **ask, MaxDatapoints=50, PaginationConfig={}
    ):
        for one in page["MetricDataResults"]:
            assert one["Label"] == "a second"
            paged += one["Values"]
    assert paged == whole["Values"]


@pytest.mark.parametrize(
    "queries",
    [
        [],
        [{"Id": "Upper", "Expression": "1"}],
        [requests(WHOLE), requests(WHOLE)],
        [{"Id": "e1"}],
        [{"Id": "e1", "Expression": "m9"}],
        [{"Id": "e1", "Expression": "SUM("}],
    ],
)
def test_queries_that_are_wrong(cloudwatch, window, queries):
    assert kit.refused(cloudwatch.get_metric_data, MetricDataQueries=queries, **window) == "ValidationError"


def test_statistics_and_the_list_know_the_same_metrics(cloudwatch, window):
    listed = cloudwatch.list_metrics(Namespace="AWS/CloudFront", MetricName="Requests")["Metrics"]
    dimensions = [{"Name": key, "Value": value} for key, value in WHOLE.items()]
    assert dimensions in [sorted(one["Dimensions"], key=lambda one: one["Name"]) for one in listed]
    read = cloudwatch.get_metric_statistics(
        Namespace="AWS/CloudFront",
        MetricName="Requests",
        Dimensions=dimensions,
        Period=300,
        Statistics=["Sum", "Maximum"],
        **window,
    )
    assert read["Label"] == "Requests"
    assert all(point["Sum"] >= point["Maximum"] for point in read["Datapoints"])


@pytest.mark.parametrize("form", ["json", "query"])
def test_the_older_protocols_work_too(served, form):
    """As older clients write: JSON 1.0, and the Query of old command lines."""
    import urllib.request

    scope = "AWS4-HMAC-SHA256 Credential=A/20260613/us-east-1/monitoring/aws4_request, SignedHeaders=host, Signature=0"
    headers = {"Authorization": scope}
    if form == "json":
        headers["X-Amz-Target"] = "GraniteServiceVersion20100801.ListDashboards"
        data, expected = b"{}", b'"DashboardEntries"'
    else:
        data, expected = b"Action=ListDashboards&Version=2010-08-01", b"<ListDashboardsResult>"
    with urllib.request.urlopen(urllib.request.Request(served.url, data=data, headers=headers)) as answer:
        assert expected in answer.read()


GLASS = ("--break-glass", "-m", "redraw", "--yes")


def test_what_boto3_edits_by_hand_is_shown_and_kept(cloudwatch, desk):
    rehearsal = desk.rehearsing()
    rehearsal.onair("dashboard", "apply", *GLASS).expect(0)
    rehearsal.onair("dashboard", "diff").expect(0)
    body = json.loads(cloudwatch.get_dashboard(DashboardName="onair-cup-final")["DashboardBody"])
    by_title = {one["properties"].get("title"): one for one in body["widgets"]}
    by_title["Requests"]["properties"]["title"] = "Requests"
    by_title["Requests"]["properties"]["stat"] = "Maximum"
    mine = {**TEXT, "properties": {"markdown": "# mine"}}
    body["widgets"].append(mine)
    cloudwatch.put_dashboard(DashboardName="onair-cup-final", DashboardBody=json.dumps(body))

    widgets = rehearsal.onair("dashboard", "diff").expect(3).json()["data"]["widgets"]
    assert {(one["widget"], one["difference"]) for one in widgets} == {
        ("Requests", "edited"),
        ("# mine", "foreign"),
    }
    (edited,) = [one for one in widgets if one["widget"] == "Requests"]
    assert edited["fields"] == [{"path": "properties/stat", "stored": '"Maximum"', "wanted": '"Sum"'}]

    rehearsal.onair("dashboard", "apply", *GLASS).expect(0)
    body = json.loads(cloudwatch.get_dashboard(DashboardName="onair-cup-final")["DashboardBody"])
    by_title = {one["properties"].get("title"): one for one in body["widgets"]}
    assert by_title["Requests"]["properties"]["stat"] == "Maximum"
    rehearsal.onair("dashboard", "apply", "--discard-edits", *GLASS).expect(0)
    body = json.loads(cloudwatch.get_dashboard(DashboardName="onair-cup-final")["DashboardBody"])
    by_title = {one["properties"].get("title"): one for one in body["widgets"]}
    assert by_title["Requests"]["properties"]["stat"] == "Sum"
    assert body["widgets"][-1]["properties"] == mine["properties"]
    rehearsal.onair("dashboard", "diff").expect(0)
