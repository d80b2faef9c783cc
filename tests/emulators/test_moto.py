"""The real binary against moto: WAF's IP sets with true lock tokens, the ledger in its S3."""

import pytest

import kit

ACCOUNT = "123456789012"
BUCKET = "onair-ledgers"
SCOPE = {"Scope": "CLOUDFRONT"}
V4, V6 = "onair-cup-final-block-v4", "onair-cup-final-block-v6"
FOREIGN = "198.51.100.77/32"


@pytest.fixture(scope="module")
def moto():
    with kit.emulator("moto") as url:
        yield url


@pytest.fixture
def waf(moto):
    kit.urllib.request.urlopen(kit.urllib.request.Request(f"{moto}/moto-api/reset", method="POST")).close()
    kit.make_bucket(moto, BUCKET)
    waf = kit.client("wafv2", moto)
    for name, version in ((V4, "IPV4"), (V6, "IPV6")):
        waf.create_ip_set(Name=name, IPAddressVersion=version, Addresses=[], **SCOPE)
    return waf


@pytest.fixture
def desk(moto, waf):
    desk = kit.Desk(kit.runbook(ACCOUNT, bucket=BUCKET)).against(moto, S3=moto)
    yield desk
    desk.close()


def key(waf, name):
    summary = next(one for one in waf.list_ip_sets(**SCOPE)["IPSets"] if one["Name"] == name)
    return {"Name": name, "Id": summary["Id"], **SCOPE}


def addresses(waf, name=V4):
    return set(waf.get_ip_set(**key(waf, name))["IPSet"]["Addresses"])


def write(waf, change, name=V4):
    """A colleague's own tool: reads, changes, writes."""
    read = waf.get_ip_set(**key(waf, name))
    new = sorted(change(set(read["IPSet"]["Addresses"])))
    waf.update_ip_set(**key(waf, name), Addresses=new, LockToken=read["LockToken"])


def test_block_unblock_and_undo_leave_a_colleagues_address(desk, waf):
    answer = desk.onair("block", "192.0.2.7", "2001:db8:200::/64", "--yes", "-m", "restream").expect().json()
    assert (answer["target"], answer["account"], answer["changed"]) == ("endpoint", ACCOUNT, True)
    assert addresses(waf) == {"192.0.2.7/32"}
    assert addresses(waf, V6) == {"2001:db8:200::/64"}
    write(waf, lambda found: found | {FOREIGN})
    desk.onair("block", "192.0.2.8", "--yes").expect()
    assert addresses(waf) == {"192.0.2.7/32", "192.0.2.8/32", FOREIGN}
    desk.onair("unblock", "192.0.2.7", "--yes").expect()
    assert addresses(waf) == {"192.0.2.8/32", FOREIGN}
    desk.onair("undo", "--yes").expect()
    assert addresses(waf) == {"192.0.2.7/32", "192.0.2.8/32", FOREIGN}
    nothing = desk.onair("block", "192.0.2.8", "--yes").expect().json()
    assert nothing["changed"] is False


def test_a_colleagues_write_between_read_and_write_is_replayed_over(desk, waf, moto):
    def is_update(_, __, headers):
        return headers.get("X-Amz-Target") == "AWSWAF_20190729.UpdateIPSet"

    between = kit.Between(moto, is_update, lambda: write(waf, lambda found: found | {FOREIGN}))
    answer = desk.against(between.url).onair("block", "192.0.2.7", "--yes").expect().json()
    between.close()
    assert between.hits == 2, "one refused, one accepted"
    assert answer["changed"] is True
    assert answer["data"]["outcomes"][0]["writes"] == 2
    assert addresses(waf) == {"192.0.2.7/32", FOREIGN}
    desk.onair("undo", "--yes").expect()
    assert addresses(waf) == {FOREIGN}


def test_a_list_is_imported_and_taken_back(desk, waf):
    lines = ["# a list as they come", "192.0.2.0/28 ; one", "not an address", "2001:db8:300::/48", "192.0.2.200"]
    path = desk.folder / "list.txt"
    path.write_text("\n".join(lines) + "\n")
    answer = desk.onair("ip", "import", path, "--yes").expect().json()
    assert "3" in str(answer["data"]), "the bad line is named by its number"
    assert addresses(waf) == {"192.0.2.0/28", "192.0.2.200/32"}
    assert addresses(waf, V6) == {"2001:db8:300::/48"}
    desk.onair("undo", "--yes").expect()
    assert addresses(waf) == addresses(waf, V6) == set()


def test_the_ledger_in_the_bucket_is_everyones(desk, waf, moto):
    desk.onair("block", "192.0.2.7", "--yes").expect()
    elsewhere = kit.Desk(kit.runbook(ACCOUNT, bucket=BUCKET)).against(moto, S3=moto).as_operator("tom")
    asked = elsewhere.onair("undo", "jess-1").expect(4).json()
    assert asked["ok"] is False
    elsewhere.onair("undo", "jess-1", "--yes").expect()
    assert addresses(waf) == set()
    s3 = kit.bucket_client(moto)
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert keys and all(key.startswith("cup-final/") for key in keys)
    assert not list((desk.folder / ".onair").glob("**/ledger/*.json")), "no second ledger beside it"
    elsewhere.close()


def test_another_account_is_refused_before_anything_is_written(moto, waf):
    desk = kit.Desk(kit.runbook("444455556666", bucket=BUCKET)).against(moto, S3=moto)
    answer = desk.onair("block", "192.0.2.7", "--yes").expect(4).json()
    assert answer["error"]["code"] == "guard.account"
    assert addresses(waf) == set()
    desk.close()


ACL = "cup-final-viewers"
VISIBILITY = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "m"}


def rule(name, priority, action, country="US"):
    return {
        "Name": name,
        "Priority": priority,
        "Statement": {"GeoMatchStatement": {"CountryCodes": [country]}},
        "Action": action,
        "VisibilityConfig": VISIBILITY,
    }


LIMITED = {"Block": {"CustomResponse": {"ResponseCode": 429}}}


@pytest.fixture
def acl(waf):
    rules = [rule("limited", 3, LIMITED), rule("onair-cup-final-rate", 7, {"Count": {}}, "CA")]
    made = waf.create_web_acl(Name=ACL, DefaultAction={"Allow": {}}, VisibilityConfig=VISIBILITY, Rules=rules, **SCOPE)
    return {"Name": ACL, "Id": made["Summary"]["Id"], **SCOPE}


def actions(waf, acl):
    return {one["Name"]: one["Action"] for one in waf.get_web_acl(**acl)["WebACL"]["Rules"]}


def test_a_moved_rule_comes_back_with_its_custom_response(desk, waf, acl):
    before = waf.get_web_acl(**acl)["WebACL"]
    desk.onair("rule", "count", "limited", "--yes", "-m", "a stadium").expect()
    assert actions(waf, acl) == {"limited": {"Count": {}}, "onair-cup-final-rate": {"Count": {}}}
    desk.onair("rule", "block", "rate", "--confirm", "cup-final").expect()
    assert actions(waf, acl)["onair-cup-final-rate"] == {"Block": {}}
    desk.onair("undo", "--yes").expect()
    desk.onair("undo", "jess-1", "--yes").expect()
    assert waf.get_web_acl(**acl)["WebACL"] == before


def test_a_colleagues_write_to_the_web_acl_is_replayed_over(desk, waf, acl, moto):
    def is_update(_, __, headers):
        return headers.get("X-Amz-Target") == "AWSWAF_20190729.UpdateWebACL"

    def add():
        read = waf.get_web_acl(**acl)
        held = read["WebACL"]
        rules = held["Rules"] + [rule("theirs", 9, {"Allow": {}}, "MX")]
        waf.update_web_acl(
            **acl,
            DefaultAction=held["DefaultAction"],
            VisibilityConfig=held["VisibilityConfig"],
            Rules=rules,
            LockToken=read["LockToken"],
        )

    between = kit.Between(moto, is_update, add)
    answer = desk.against(between.url).onair("rule", "count", "limited", "--yes").expect().json()
    between.close()
    assert between.hits == 2, "one refused, one accepted"
    assert answer["changed"] is True
    assert actions(waf, acl) == {
        "limited": {"Count": {}},
        "onair-cup-final-rate": {"Count": {}},
        "theirs": {"Allow": {}},
    }
