"""The Glue catalog with boto3: databases and tables, kept as they are sent."""

import pytest

import kit


@pytest.fixture(scope="module")
def glue(served, strict):
    client = kit.client("glue", served.url, strict)
    client.create_database(DatabaseInput={"Name": "Conformance", "Parameters": {"a": "1"}})
    return client


TABLE = {
    "Name": "Logs",
    "TableType": "EXTERNAL_TABLE",
    "Parameters": {"projection.enabled": "true", "projection.hour.range": "00,23"},
    "PartitionKeys": [{"Name": "hour", "Type": "int"}],
    "StorageDescriptor": {
        "Columns": [{"Name": "date", "Type": "string"}],
        "Location": "s3://bucket/logs/",
        "SerdeInfo": {"SerializationLibrary": "x", "Parameters": {"field.delim": "\t"}},
    },
}


def test_databases_are_folded_to_lower_case(glue):
    database = glue.get_database(Name="CONFORMANCE")["Database"]
    assert (database["Name"], database["Parameters"]) == ("conformance", {"a": "1"})
    again = dict(DatabaseInput={"Name": "conformance"})
    assert kit.refused(glue.create_database, **again) == "AlreadyExistsException"
    glue.update_database(Name="conformance", DatabaseInput={"Name": "conformance", "Description": "d"})
    assert "conformance" in [one["Name"] for one in glue.get_databases()["DatabaseList"]]
    for call, more in ((glue.get_database, {}), (glue.delete_database, {}), (glue.update_database, again)):
        assert kit.refused(call, Name="gone", **more) == "EntityNotFoundException"
    assert kit.refused(glue.get_databases, MaxResults=101) == "InvalidInputException"


def test_tables_keep_their_properties_and_versions(glue):
    where = {"DatabaseName": "conformance"}
    glue.create_table(**where, TableInput=TABLE)
    assert kit.refused(glue.create_table, **where, TableInput=TABLE) == "AlreadyExistsException"
    table = glue.get_table(**where, Name="logs")["Table"]
    assert table["Parameters"] == TABLE["Parameters"]
    assert table["StorageDescriptor"] == TABLE["StorageDescriptor"]
    version = table["VersionId"]
    glue.update_table(**where, TableInput={**TABLE, "Description": "d"}, VersionId=version)
    stale = dict(where, TableInput=TABLE, VersionId=version)
    assert kit.refused(glue.update_table, **stale) == "ConcurrentModificationException"
    twice = [{"Name": "a", "Type": "int"}, {"Name": "A", "Type": "int"}]
    double = {**TABLE, "Name": "double", "PartitionKeys": twice}
    assert kit.refused(glue.create_table, **where, TableInput=double) == "InvalidInputException"
    assert [one["Name"] for one in glue.get_tables(**where)["TableList"]] == ["logs"]
    assert kit.refused(glue.get_tables, DatabaseName="gone") == "EntityNotFoundException"
    glue.delete_table(**where, Name="logs")
    for call in (glue.get_table, glue.delete_table):
        assert kit.refused(call, **where, Name="logs") == "EntityNotFoundException"


def test_a_database_goes_with_its_tables(glue):
    glue.create_database(DatabaseInput={"Name": "second"})
    glue.create_table(DatabaseName="second", TableInput=TABLE)
    glue.delete_database(Name="second")
    assert kit.refused(glue.get_table, DatabaseName="second", Name="logs") == "EntityNotFoundException"
