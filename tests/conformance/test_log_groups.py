"""CloudWatch Logs with boto3: log groups, their events, and Logs Insights over them."""

import time

import pytest

import kit

GROUP = "/aws/vendedlogs/conformance"
START = 1_781_460_000


@pytest.fixture(scope="module")
def logs(served, strict):
    logs = kit.client("logs", served.url, strict)
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName="edge")
    events = [{"timestamp": (START + second) * 1000, "message": f"m{second}"} for second in range(100)]
    logs.put_log_events(logGroupName=GROUP, logStreamName="edge", logEvents=events)
    return logs


def asked(logs, text, start=START, end=START + 99, **more):
    query = logs.start_query(logGroupName=GROUP, startTime=start, endTime=end, queryString=text, **more)["queryId"]
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        answer = logs.get_query_results(queryId=query)
        if answer["status"] not in ("Scheduled", "Running"):
            return answer
    raise AssertionError("the query does not end")


def messages(answer):
    return [next(cell["value"] for cell in row if cell["field"] == "@message") for row in answer["results"]]


def test_messages_come_in_the_order_of_their_times(logs):
    answer = asked(logs, "fields @timestamp, @message | sort @timestamp asc | limit 10000")
    assert answer["status"] == "Complete"
    assert messages(answer) == [f"m{second}" for second in range(100)]
    assert answer["results"][0][0] == {"field": "@timestamp", "value": "2026-06-14 18:00:00.000"}
    few = asked(logs, "fields @message | sort @timestamp desc", limit=2)
    assert messages(few) == ["m99", "m98"]
    some = asked(logs, "fields @message | sort @timestamp asc", START + 10, START + 12)
    assert messages(some) == ["m10", "m11", "m12"]


def test_what_is_not_there_or_not_understood_is_refused(logs):
    question = dict(startTime=START, endTime=START + 1, queryString="fields @message")
    assert kit.refused(logs.start_query, logGroupName="/none", **question) == "ResourceNotFoundException"
    wrong = dict(question, queryString="stats count(*) by bin(1m)")
    assert kit.refused(logs.start_query, logGroupName=GROUP, **wrong) == "MalformedQueryException"
    assert kit.refused(logs.get_query_results, queryId="none") == "ResourceNotFoundException"
    assert kit.refused(logs.create_log_group, logGroupName=GROUP) == "ResourceAlreadyExistsException"
    event = {"timestamp": START * 1000, "message": "m"}
    for call, more in [
        (logs.create_log_stream, {"logStreamName": "edge"}),
        (logs.put_log_events, {"logStreamName": "edge", "logEvents": [event]}),
        (logs.filter_log_events, {}),
        (logs.delete_log_group, {}),
    ]:
        assert kit.refused(call, logGroupName="/none", **more) == "ResourceNotFoundException"
    assert kit.refused(logs.stop_query, queryId="none") == "ResourceNotFoundException"


def test_groups_are_listed_by_the_beginning_of_their_names(logs):
    found = logs.describe_log_groups(logGroupNamePrefix="/aws/vendedlogs/conf")["logGroups"]
    assert [(one["logGroupName"], one["storedBytes"] > 0) for one in found] == [(GROUP, True)]
    assert logs.describe_log_groups(logGroupNamePrefix="/none")["logGroups"] == []
    assert kit.refused(logs.describe_log_groups, logGroupNamePrefix="x" * 513) == "ValidationException"


def test_a_query_can_be_stopped(logs):
    query = logs.start_query(
        logGroupName=GROUP, startTime=START, endTime=START + 1, queryString="fields @message"
    )["queryId"]
    if logs.stop_query(queryId=query)["success"]:
        assert logs.get_query_results(queryId=query)["status"] == "Cancelled"


def test_events_are_filtered_by_time_in_pages(logs):
    found, token = [], {}
    while True:
        page = logs.filter_log_events(
            logGroupName=GROUP, startTime=START * 1000, endTime=(START + 49) * 1000, limit=20, **token
        )
        found += [event["message"] for event in page["events"]]
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert found == [f"m{second}" for second in range(50)]
