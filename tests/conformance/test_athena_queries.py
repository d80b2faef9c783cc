"""Athena with boto3: queries over tables of the embedded Glue catalog and objects of the embedded S3."""

import gzip
import time

import pytest

import kit

GROUP = "queries"
BUCKET = "athena-conformance"
INVALID = "InvalidRequestException"
ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")


@pytest.fixture(scope="module")
def athena(served, strict):
    kit.make_bucket(served.url, BUCKET)
    athena = kit.client("athena", served.url, strict)
    athena.create_work_group(
        Name=GROUP,
        Configuration={"ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/results/"}},
    )
    glue = kit.client("glue", served.url, strict)
    glue.create_database(DatabaseInput={"Name": "lake"})
    lines = "".join(f"row{number}\t{number}\t-\n" for number in range(1500))
    for hour, text in (("07", lines), ("08", "late\t8\t1.5\n")):
        kit.bucket_client(served.url).put_object(
            Bucket=BUCKET, Key=f"logs/{hour}/part.gz", Body=gzip.compress(text.encode())
        )
    glue.create_table(
        DatabaseName="lake",
        TableInput={
            "Name": "lines",
            "TableType": "EXTERNAL_TABLE",
            "PartitionKeys": [{"Name": "hour", "Type": "int"}],
            "Parameters": {
                "projection.enabled": "true",
                "projection.hour.type": "integer",
                "projection.hour.range": "00,23",
                "projection.hour.digits": "2",
                "storage.location.template": f"s3://{BUCKET}/logs/${{hour}}/",
            },
            "StorageDescriptor": {
                "Location": f"s3://{BUCKET}/logs/",
                "Columns": [
                    {"Name": "name", "Type": "string"},
                    {"Name": "number", "Type": "bigint"},
                    {"Name": "taken", "Type": "double"},
                ],
                "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
                "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                "SerdeInfo": {
                    "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
                    "Parameters": {"field.delim": "\t"},
                },
            },
        },
    )
    return athena


def start(athena, text, **more):
    more.setdefault("WorkGroup", GROUP)
    return athena.start_query_execution(
        QueryString=text, QueryExecutionContext={"Database": "lake"}, **more
    )["QueryExecutionId"]


def ended(athena, query):
    """The execution, once it has ended: the embedded cloud's clock runs at the real pace."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        execution = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]
        if execution["Status"]["State"] in ENDED:
            return execution
    raise AssertionError(f"{query} does not end")


def rows(athena, query, **more):
    cells = []
    for page in athena.get_paginator("get_query_results").paginate(QueryExecutionId=query, **more):
        for row in page["ResultSet"]["Rows"]:
            cells.append([cell.get("VarCharValue") for cell in row["Data"]])
    return cells


def test_a_query_goes_from_queued_to_succeeded_and_comes_in_pages(athena):
    query = start(athena, "SELECT name, number, taken FROM lines ORDER BY number DESC, hour")
    assert athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]["State"] in (
        "QUEUED",
        "RUNNING",
    )
    assert kit.refused(athena.get_query_results, QueryExecutionId=query) == INVALID
    execution = ended(athena, query)
    assert execution["Status"]["State"] == "SUCCEEDED", execution
    found = rows(athena, query)
    assert found[0] == ["name", "number", "taken"]
    assert found[1] == ["row1499", "1499", None]
    assert len(found) == 1502
    assert ["late", "8", "1.5"] in found
    first = athena.get_query_results(QueryExecutionId=query, MaxResults=10)
    assert len(first["ResultSet"]["Rows"]) == 10 and first["NextToken"]
    types = [one["Type"] for one in first["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]]
    assert types == ["varchar", "bigint", "double"]
    wrong = kit.refused(athena.get_query_results, QueryExecutionId=query, NextToken="none")
    assert wrong == INVALID


def test_partitions_are_pruned_and_bytes_are_counted(athena):
    scanned = {}
    for hour in (7, 8, 9):
        query = start(athena, f"SELECT count(*) AS n FROM lines WHERE hour = {hour}")
        scanned[hour] = ended(athena, query)["Statistics"]["DataScannedInBytes"]
    assert scanned[7] > scanned[8] > scanned[9] == 0


def test_parameters_are_literals_and_nothing_else(athena):
    text = "SELECT count(*) AS n FROM lines WHERE name = ? AND number < ?"
    query = start(athena, text, ExecutionParameters=["'row7'", "100"])
    ended(athena, query)
    assert rows(athena, query)[1] == ["1"]
    for parameters in (["row7", "100"], ["'row7'"], ["'a' OR 'b'", "1"]):
        query = start(athena, text, ExecutionParameters=parameters)
        assert ended(athena, query)["Status"]["State"] == "FAILED", parameters


def test_a_token_starts_one_query(athena):
    token = "t" * 32
    first = start(athena, "SELECT 1 AS one", ClientRequestToken=token)
    assert start(athena, "SELECT 1 AS one", ClientRequestToken=token) == first
    other = dict(QueryString="SELECT 2 AS two", WorkGroup=GROUP, ClientRequestToken=token)
    assert kit.refused(athena.start_query_execution, **other) == INVALID


def test_a_result_is_used_again_by_age(athena):
    reuse = {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 60}}
    first = start(athena, "SELECT count(*) AS again FROM lines", ResultReuseConfiguration=reuse)
    ended(athena, first)
    second = start(athena, "SELECT count(*) AS again FROM lines", ResultReuseConfiguration=reuse)
    statistics = ended(athena, second)["Statistics"]
    assert statistics["ResultReuseInformation"]["ReusedPreviousResult"] is True
    assert statistics["DataScannedInBytes"] == 0
    assert rows(athena, second) == rows(athena, first)


@pytest.mark.parametrize(
    ("text", "kind", "word"),
    [
        ("SELECT * FROM nowhere", 1110, "nowhere"),
        ("SELECT FROM WHERE", None, ""),
        ("DROP TABLE lines", None, "queries alone"),
        ("SELECT * FROM '/etc/passwd'", None, ""),
    ],
)
def test_what_cannot_run_fails_and_says_why(athena, text, kind, word):
    status = ended(athena, start(athena, text))["Status"]
    assert status["State"] == "FAILED", status
    assert word in status["StateChangeReason"], status
    if kind:
        assert status["AthenaError"]["ErrorType"] == kind, status


def test_a_stopped_query_stays_stopped(athena, served):
    served.desk.onair("sandbox", "set", "settings", "/query-seconds", "600").expect()
    try:
        query = start(athena, "SELECT count(*) AS slow FROM lines")
        time_out = time.monotonic() + 30
        while True:
            state = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]["State"]
            if state == "RUNNING" or time.monotonic() > time_out:
                break
        assert state == "RUNNING"
        athena.stop_query_execution(QueryExecutionId=query)
        assert ended(athena, query)["Status"]["State"] == "CANCELLED"
        assert kit.refused(athena.get_query_results, QueryExecutionId=query) == INVALID
    finally:
        served.desk.onair("sandbox", "set", "settings", "/query-seconds", "0").expect()


def test_the_workgroup_decides(athena, served, strict):
    cutoff = {"BytesScannedCutoffPerQuery": 10_000_000}
    athena.update_work_group(WorkGroup=GROUP, ConfigurationUpdates=cutoff)
    elsewhere = {"OutputLocation": f"s3://{BUCKET}/elsewhere/"}
    query = start(athena, "SELECT 1 AS one", ResultConfiguration=elsewhere)
    output = ended(athena, query)["ResultConfiguration"]["OutputLocation"]
    assert output == f"s3://{BUCKET}/results/{query}.csv"
    body = kit.bucket_client(served.url).get_object(Bucket=BUCKET, Key=f"results/{query}.csv")
    assert body["Body"].read() == b'"one"\n"1"\n'
    assert kit.refused(athena.start_query_execution, QueryString="SELECT 1") == INVALID
    athena.update_work_group(WorkGroup=GROUP, State="DISABLED")
    refused = kit.refused(athena.start_query_execution, QueryString="SELECT 1", WorkGroup=GROUP)
    assert refused == INVALID
    athena.update_work_group(WorkGroup=GROUP, State="ENABLED")


def test_executions_are_listed_newest_first(athena):
    query = start(athena, "SELECT 3 AS three")
    assert athena.list_query_executions(WorkGroup=GROUP)["QueryExecutionIds"][0] == query
    many = athena.batch_get_query_execution(QueryExecutionIds=[query, "gone"])
    assert [one["QueryExecutionId"] for one in many["QueryExecutions"]] == [query]
    assert [one["QueryExecutionId"] for one in many["UnprocessedQueryExecutionIds"]] == ["gone"]
    assert kit.refused(athena.get_query_execution, QueryExecutionId="gone") == INVALID
    assert kit.refused(athena.stop_query_execution, QueryExecutionId="gone") == INVALID
    assert kit.refused(athena.list_query_executions, WorkGroup="gone") == INVALID
    assert kit.refused(athena.batch_get_query_execution, QueryExecutionIds=["gone"] * 51) == INVALID
