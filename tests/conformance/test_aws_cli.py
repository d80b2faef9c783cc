"""The AWS CLI, as an operator would use it when onair is not at hand: `--endpoint-url` for the
control planes, `HTTP_PROXY` for the key value stores."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

import kit

SCOPE = ("--scope", "CLOUDFRONT")


@pytest.fixture(scope="module")
def aws(served, desk):
    program = pathlib.Path(sys.executable).parent / "aws"
    environment = {"PATH": os.environ["PATH"], "HOME": str(desk.folder), **kit.CREDENTIALS}

    def run(service, operation, *arguments, code=0, proxied=False):
        command = [program, "--output", "json", service, operation, *map(str, arguments)]
        if proxied:
            extra = {"HTTP_PROXY": served.url}
            command += ["--endpoint-url", "http://cloudfront-kvs.global.api.aws"]
        else:
            extra = {}
            command += ["--endpoint-url", served.url]
        done = subprocess.run(command, env={**environment, **extra}, capture_output=True, text=True, timeout=60)
        if code:
            assert done.returncode != 0 and f"({code})" in done.stderr, done.stderr
            return None
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else {}

    return run


def test_who_am_i(aws):
    assert aws("sts", "get-caller-identity")["Account"] == kit.ACCOUNT


def test_an_ip_set_by_hand(aws):
    made = aws("wafv2", "create-ip-set", *SCOPE, "--name", "by-hand", "--ip-address-version", "IPV4", "--addresses", "192.0.2.0/24")
    summary = made["Summary"]
    key = (*SCOPE, "--name", "by-hand", "--id", summary["Id"])
    read = aws("wafv2", "get-ip-set", *key)
    assert read["IPSet"]["Addresses"] == ["192.0.2.0/24"]
    lock = ("--lock-token", read["LockToken"])
    aws("wafv2", "update-ip-set", *key, *lock, "--addresses", "0.0.0.0/0", code="WAFInvalidParameterException")
    updated = aws("wafv2", "update-ip-set", *key, *lock, "--addresses", "192.0.2.1/32", "192.0.2.9/32")
    aws("wafv2", "update-ip-set", *key, *lock, "--addresses", code="WAFOptimisticLockException")
    sizes = {one["Name"] for one in aws("wafv2", "list-ip-sets", *SCOPE)["IPSets"]}
    assert "by-hand" in sizes
    aws("wafv2", "tag-resource", "--resource-arn", summary["ARN"], "--tags", "Key=owner,Value=jess")
    tags = aws("wafv2", "list-tags-for-resource", "--resource-arn", summary["ARN"])
    assert tags["TagInfoForResource"]["TagList"] == [{"Key": "owner", "Value": "jess"}]
    aws("wafv2", "delete-ip-set", *key, "--lock-token", updated["NextLockToken"])
    aws("wafv2", "get-ip-set", *key, code="WAFNonexistentItemException")


def test_a_web_acl_by_hand(aws):
    acls = aws("wafv2", "list-web-acls", *SCOPE)["WebACLs"]
    acl = aws("wafv2", "get-web-acl", *SCOPE, "--name", acls[0]["Name"], "--id", acls[0]["Id"])
    assert acl["WebACL"]["Rules"]
    rules = json.dumps(acl["WebACL"]["Rules"])
    assert aws("wafv2", "check-capacity", *SCOPE, "--rules", rules)["Capacity"] >= 2


def test_a_geo_restriction_by_hand(aws, desk):
    id = ("--id", "E1CUPFINAL0002")
    read = aws("cloudfront", "get-distribution-config", *id)
    config = read["DistributionConfig"]
    config["Comment"] = "changed by hand"
    document = desk.folder / "config.json"
    document.write_text(json.dumps(config))
    change = (*id, "--if-match", read["ETag"], "--distribution-config", f"file://{document}")
    updated = aws("cloudfront", "update-distribution", *change)
    assert updated["Distribution"]["DistributionConfig"]["Comment"] == "changed by hand"
    aws("cloudfront", "update-distribution", *change, code="PreconditionFailed")
    again = aws("cloudfront", "get-distribution-config", *id)["DistributionConfig"]
    assert again == config
    aws("cloudfront", "wait", "distribution-deployed", *id)
    aws("cloudfront", "get-distribution", "--id", "E0000000000000", code="NoSuchDistribution")


def test_a_function_by_hand(aws, desk):
    code = desk.folder / "function.js"
    code.write_text("function handler(event) { return event.request; }\n")
    config = ("--function-config", "Comment=by hand,Runtime=cloudfront-js-2.0", "--function-code", f"fileb://{code}")
    made = aws("cloudfront", "create-function", "--name", "by-hand", *config)
    published = aws("cloudfront", "publish-function", "--name", "by-hand", "--if-match", made["ETag"])
    assert published["FunctionSummary"]["Status"] == "UNASSOCIATED"
    kept = desk.folder / "kept.js"
    aws("cloudfront", "get-function", "--name", "by-hand", kept)
    assert kept.read_text() == code.read_text()
    aws("cloudfront", "delete-function", "--name", "by-hand", "--if-match", made["ETag"])


def test_a_key_value_store_by_hand(aws):
    made = aws("cloudfront", "create-key-value-store", "--name", "by-hand")
    store = ("--kvs-arn", made["KeyValueStore"]["ARN"])
    kvs = "cloudfront-keyvaluestore"
    first = aws(kvs, "describe-key-value-store", *store, proxied=True)["ETag"]
    put = aws(kvs, "put-key", *store, "--key", "sub:1", "--value", "9", "--if-match", first, proxied=True)
    assert put["ItemCount"] == 1
    aws(kvs, "put-key", *store, "--key", "sub:2", "--value", "9", "--if-match", first, code="ConflictException", proxied=True)
    update = ("--puts", "Key=sub:3,Value=9", "--deletes", "Key=sub:1", "--if-match", put["ETag"])
    aws(kvs, "update-keys", *store, *update, proxied=True)
    assert aws(kvs, "list-keys", *store, proxied=True)["Items"] == [{"Key": "sub:3", "Value": "9"}]
    aws(kvs, "get-key", *store, "--key", "sub:1", code="ResourceNotFoundException", proxied=True)
    aws("cloudfront", "delete-key-value-store", "--name", "by-hand", "--if-match", made["ETag"])
