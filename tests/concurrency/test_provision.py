"""Provisioning beside other tools: a hand edit is told as what it is, and nothing foreign is touched."""

import pytest

import kit

MAIN = "E1CUPFINAL0001"
QUICK = ("--rates", "off", "--fault", "rollout=0s", "--fault", "rollout-skew=0s")


@pytest.fixture
def rehearsal(desk):
    rehearsal = desk.rehearsing()
    rehearsal.onair("sandbox", "reset", "--bare", *QUICK).expect()
    return rehearsal


@pytest.fixture
def cloudfront(desk, rehearsal):
    served = kit.Served(desk, *QUICK)
    yield kit.client("cloudfront", served.url)
    served.close()


def pending(rehearsal, code):
    answer = rehearsal.onair("provision", "--dry-run").expect(code).json()
    return [step for step in answer["data"]["steps"] if step["action"] not in ("keep",)]


def test_a_hand_edit_is_exactly_the_difference(rehearsal, cloudfront):
    rehearsal.onair("provision", "--yes").expect()
    assert pending(rehearsal, 0) == []
    read = cloudfront.get_distribution_config(Id=MAIN)
    config = read["DistributionConfig"]
    config["Comment"] = "edited by hand"
    behavior = config["CacheBehaviors"]["Items"][0]
    behavior["FunctionAssociations"] = {"Quantity": 0}
    cloudfront.update_distribution(Id=MAIN, IfMatch=read["ETag"], DistributionConfig=config)
    (step,) = pending(rehearsal, 3)
    assert (step["kind"], step["name"], step["action"]) == ("distribution", MAIN, "change")
    field = f"behaviors.{behavior['PathPattern']}.FunctionAssociations.viewer-request"
    assert [change["field"] for change in step["changes"]] == [field]
    rehearsal.onair("provision", "--yes").expect()
    assert pending(rehearsal, 0) == []
    kept = cloudfront.get_distribution_config(Id=MAIN)["DistributionConfig"]
    assert kept["Comment"] == "edited by hand", "what the runbook does not speak of stays"
    rehearsal.onair("teardown", "--confirm", "cup-final").expect()
    rehearsal.onair("teardown", "--leftovers").expect()


def test_what_others_made_stays(rehearsal, cloudfront):
    code = b"function handler(event) { return event.request; }"
    config = {"Comment": "theirs", "Runtime": "cloudfront-js-2.0"}
    cloudfront.create_function(Name="onair-cup-final-theirs", FunctionConfig=config, FunctionCode=code)
    cloudfront.create_key_value_store(Name="theirs", Comment="")
    rehearsal.onair("provision", "--yes").expect()
    rehearsal.onair("teardown", "--confirm", "cup-final").expect()
    functions = cloudfront.list_functions()["FunctionList"]["Items"]
    assert [one["Name"] for one in functions] == ["onair-cup-final-theirs"]
    stores = cloudfront.list_key_value_stores()["KeyValueStoreList"]["Items"]
    assert [one["Name"] for one in stores] == ["theirs"]


def made_twice(rehearsal):
    """Calls that make something under a name of its own, and were answered more than once."""
    calls = rehearsal.onair("sandbox", "show").expect().json()["data"]["calls"]
    once = ("CreateKeyValueStore", "CreateRealtimeLogConfig", "CreateStream", "CreateDatabase", "CreateWorkGroup")
    return {name: count for name, count in calls.items() if name.split(".")[1] in once and count > 1}


# On the bare account a run makes about 190 calls, of which the first third only read.
DEATHS = [("crash-after", nth) for nth in range(2, 190, 21)] + [("crash-before", nth) for nth in range(77, 190, 28)]


@pytest.mark.parametrize("fault, nth", DEATHS)
def test_dying_at_any_call_is_mended_by_the_next_run(desk, fault, nth):
    rehearsal = desk.rehearsing()
    rehearsal.onair("sandbox", "reset", "--bare", *QUICK, "--fault", f"{fault}:*:nth={nth}").expect()
    died = rehearsal.onair("provision", "--yes")
    assert died.code != 0, died
    rehearsal.onair("provision", "--yes").expect()
    assert pending(rehearsal, 0) == []
    if fault == "crash-after":
        assert made_twice(rehearsal) == {}
    rehearsal.onair("teardown", "--confirm", "cup-final").expect()
    rehearsal.onair("teardown", "--leftovers").expect()


@pytest.mark.parametrize("nth", range(3, 120, 19))
def test_a_teardown_that_dies_is_finished_by_the_next(desk, nth):
    rehearsal = desk.rehearsing()
    # Provisioned, and no call counted yet.
    rehearsal.onair("sandbox", "reset", *QUICK, "--fault", f"crash-after:*:nth={nth}").expect()
    died = rehearsal.onair("teardown", "--confirm", "cup-final")
    assert died.code != 0, died
    rehearsal.onair("teardown", "--confirm", "cup-final").expect()
    rehearsal.onair("teardown", "--leftovers").expect()
