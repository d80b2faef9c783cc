"""The key value stores' data plane: every operation with boto3 and SigV4A, through `HTTP_PROXY`, so
that no hosts file needs a line."""

import pytest

import kit


@pytest.fixture(scope="module")
def store(cloudfront):
    made = cloudfront.create_key_value_store(Name="conformance")
    return made["KeyValueStore"]["ARN"]


@pytest.fixture
def stores(served, strict, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", served.url)
    # The SDK puts the account of the store's ARN before the host.
    return kit.client("cloudfront-keyvaluestore", "http://cloudfront-kvs.global.api.aws", strict)


def etag(stores, store):
    return stores.describe_key_value_store(KvsARN=store)["ETag"]


def test_a_key_is_put_read_listed_and_deleted(stores, store):
    described = stores.describe_key_value_store(KvsARN=store)
    assert described["Status"] == "READY"
    one = dict(KvsARN=store, Key="sub:8841/ä b")
    put = stores.put_key(**one, Value="1", IfMatch=described["ETag"])
    assert put["ItemCount"] == 1
    assert stores.get_key(**one)["Value"] == "1"
    assert stores.list_keys(KvsARN=store)["Items"] == [{"Key": one["Key"], "Value": "1"}]
    stale = described["ETag"]
    assert kit.refused(stores.put_key, **one, Value="2", IfMatch=stale) == "ConflictException"
    assert kit.refused(stores.delete_key, **one, IfMatch=stale) == "ConflictException"
    deleted = stores.delete_key(**one, IfMatch=put["ETag"])
    assert (deleted["ItemCount"], deleted["TotalSizeInBytes"]) == (0, 0)
    assert kit.refused(stores.get_key, **one) == "ResourceNotFoundException"
    assert kit.refused(stores.delete_key, **one, IfMatch=deleted["ETag"]) == "ResourceNotFoundException"


def test_fifty_keys_change_at_once_and_not_one_more(stores, store):
    puts = [{"Key": f"k{number:02}", "Value": "v"} for number in range(51)]
    update = dict(KvsARN=store, IfMatch=etag(stores, store))
    assert kit.refused(stores.update_keys, **update, Puts=puts) == "ValidationException"
    updated = stores.update_keys(**update, Puts=puts[:50])
    assert updated["ItemCount"] == 50
    assert kit.refused(stores.update_keys, **update, Puts=puts[:1]) == "ConflictException"
    pages = stores.get_paginator("list_keys").paginate(KvsARN=store, PaginationConfig={"PageSize": 20})
    assert [len(page["Items"]) for page in pages] == [20, 20, 10]
    deletes = [{"Key": put["Key"]} for put in puts[:50]]
    emptied = stores.update_keys(KvsARN=store, IfMatch=updated["ETag"], Deletes=deletes)
    assert emptied["ItemCount"] == 0


def test_keys_and_values_have_their_sizes(stores, store):
    update = dict(KvsARN=store, IfMatch=etag(stores, store))
    for put in ({"Key": "k" * 513, "Value": "v"}, {"Key": "k", "Value": "v" * 1025}):
        assert kit.refused(stores.update_keys, **update, Puts=[put]) == "ValidationException"
    code = kit.refused(stores.put_key, **update, Key="k", Value="v" * 1025)
    assert code == "ValidationException"
    both = dict(Puts=[{"Key": "k", "Value": "v"}], Deletes=[{"Key": "k"}])
    assert kit.refused(stores.update_keys, **update, **both) == "ValidationException"
    longest = stores.update_keys(**update, Puts=[{"Key": "k" * 512, "Value": "v" * 1024}])
    assert longest["TotalSizeInBytes"] == 1536
    stores.update_keys(KvsARN=store, IfMatch=longest["ETag"], Deletes=[{"Key": "k" * 512}])


def test_a_store_holds_five_megabytes(stores, cloudfront):
    store = cloudfront.create_key_value_store(Name="conformance-full")["KeyValueStore"]["ARN"]
    version = etag(stores, store)
    number = 0
    code = None
    while code is None and number < 6_000:
        puts = [{"Key": f"{number + more:08}", "Value": "v" * 1016} for more in range(50)]
        try:
            version = stores.update_keys(KvsARN=store, IfMatch=version, Puts=puts)["ETag"]
            number += 50
        except stores.exceptions.ServiceQuotaExceededException as error:
            code = error.response["Error"]["Code"]
    assert code == "ServiceQuotaExceededException"
    assert number * 1024 <= 5 * 1024 * 1024 < (number + 50) * 1024
    made = cloudfront.describe_key_value_store(Name="conformance-full")
    cloudfront.delete_key_value_store(Name="conformance-full", IfMatch=made["ETag"])


def test_other_stores_are_not_there(stores, store):
    gone = {"KvsARN": f"{store[:-4]}0000"}
    for call, more in (
        (stores.describe_key_value_store, {}),
        (stores.list_keys, {}),
        (stores.get_key, {"Key": "k"}),
        (stores.put_key, {"Key": "k", "Value": "v", "IfMatch": "x"}),
        (stores.delete_key, {"Key": "k", "IfMatch": "x"}),
        (stores.update_keys, {"IfMatch": "x", "Deletes": [{"Key": "k"}]}),
    ):
        assert kit.refused(call, **gone, **more) == "ResourceNotFoundException"
    elsewhere = {"KvsARN": store.replace(kit.ACCOUNT, "444455556666")}
    assert kit.refused(stores.describe_key_value_store, **elsewhere) == "AccessDeniedException"
    assert kit.refused(stores.list_keys, KvsARN=store, MaxResults=51) == "ValidationException"
