"""Athena with boto3: workgroups and named queries."""

import pytest

import kit

GROUP = "conformance"
INVALID = "InvalidRequestException"


@pytest.fixture(scope="module")
def athena(served, strict):
    client = kit.client("athena", served.url, strict)
    client.create_work_group(
        Name=GROUP,
        Configuration={
            "BytesScannedCutoffPerQuery": 10_000_000,
            "ResultConfiguration": {"OutputLocation": "s3://bucket/results/"},
        },
        Tags=[{"Key": "a", "Value": "1"}],
    )
    return client


def configuration(athena):
    return athena.get_work_group(WorkGroup=GROUP)["WorkGroup"]["Configuration"]


def test_workgroups_are_changed_by_what_is_named(athena):
    assert configuration(athena)["BytesScannedCutoffPerQuery"] == 10_000_000
    athena.update_work_group(WorkGroup=GROUP, ConfigurationUpdates={"BytesScannedCutoffPerQuery": 20_000_000})
    assert configuration(athena)["ResultConfiguration"] == {"OutputLocation": "s3://bucket/results/"}
    nowhere = {"ResultConfigurationUpdates": {"OutputLocation": "/results"}}
    assert kit.refused(athena.update_work_group, WorkGroup=GROUP, ConfigurationUpdates=nowhere) == INVALID
    athena.update_work_group(WorkGroup=GROUP, ConfigurationUpdates={"RemoveBytesScannedCutoffPerQuery": True})
    assert "BytesScannedCutoffPerQuery" not in configuration(athena)
    assert kit.refused(athena.create_work_group, Name=GROUP) == INVALID
    assert kit.refused(athena.get_work_group, WorkGroup="gone") == INVALID
    assert kit.refused(athena.delete_work_group, WorkGroup="primary") == INVALID
    assert {"primary", GROUP} <= {one["Name"] for one in athena.list_work_groups()["WorkGroups"]}
    assert kit.refused(athena.list_work_groups, MaxResults=51) == INVALID


def test_named_queries_are_listed_by_workgroup(athena):
    query = dict(Name="q", Database="d", QueryString="SELECT 1", WorkGroup=GROUP)
    first = athena.create_named_query(**query, ClientRequestToken="t" * 32)["NamedQueryId"]
    assert athena.create_named_query(**query, ClientRequestToken="t" * 32)["NamedQueryId"] == first
    other = dict(query, QueryString="SELECT 2", ClientRequestToken="t" * 32)
    assert kit.refused(athena.create_named_query, **other) == INVALID
    second = athena.create_named_query(**query)["NamedQueryId"]
    assert set(athena.list_named_queries(WorkGroup=GROUP)["NamedQueryIds"]) == {first, second}
    many = athena.batch_get_named_query(NamedQueryIds=[first, "gone"])
    assert [one["NamedQueryId"] for one in many["NamedQueries"]] == [first]
    assert [one["NamedQueryId"] for one in many["UnprocessedNamedQueryIds"]] == ["gone"]
    assert kit.refused(athena.batch_get_named_query, NamedQueryIds=["x"] * 51) == INVALID
    athena.update_named_query(NamedQueryId=first, Name="q2", QueryString="SELECT 3", Description="d")
    got = athena.get_named_query(NamedQueryId=first)["NamedQuery"]
    assert (got["Name"], got["QueryString"], got["Description"]) == ("q2", "SELECT 3", "d")
    assert kit.refused(athena.delete_work_group, WorkGroup=GROUP) == INVALID
    assert kit.refused(athena.list_named_queries, WorkGroup="gone") == INVALID
    assert kit.refused(athena.get_named_query, NamedQueryId="gone") == INVALID
    assert kit.refused(athena.update_named_query, NamedQueryId="gone", Name="x", QueryString="x") == INVALID
    for one in (first, second):
        athena.delete_named_query(NamedQueryId=one)
    assert kit.refused(athena.delete_named_query, NamedQueryId=first) == INVALID


def test_workgroups_have_tags(athena):
    arn = f"arn:aws:athena:us-east-1:{kit.ACCOUNT}:workgroup/{GROUP}"
    athena.tag_resource(ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}])
    athena.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert athena.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    gone = dict(ResourceARN=arn + "-gone")
    assert kit.refused(athena.list_tags_for_resource, **gone) == "ResourceNotFoundException"
    assert kit.refused(athena.tag_resource, **gone, Tags=[{"Key": "b", "Value": "2"}]) == "ResourceNotFoundException"
    assert kit.refused(athena.untag_resource, **gone, TagKeys=["a"]) == "ResourceNotFoundException"


def test_a_workgroup_goes_with_its_queries(athena):
    athena.create_work_group(Name="second")
    athena.create_named_query(Name="q", Database="d", QueryString="SELECT 1", WorkGroup="second")
    athena.delete_work_group(WorkGroup="second", RecursiveDeleteOption=True)
    assert kit.refused(athena.get_work_group, WorkGroup="second") == INVALID
