"""Ambiguous writes and crashes: what landed is known, told once, and never done twice."""

import pytest

import kit


@pytest.fixture
def rehearsal(desk):
    return desk.rehearsing()


def reset(rehearsal, *faults):
    # What is shown of distributions is what the edges have: let them have it at once.
    directives = ("rollout=0s", "rollout-skew=0s", *faults)
    options = [word for one in directives for word in ("--fault", one)]
    rehearsal.onair("sandbox", "reset", "--rates", "off", *options).expect()


def show(rehearsal):
    return rehearsal.onair("sandbox", "show").expect().json()["data"]


def countries(rehearsal):
    return {one["id"]: set(one["countries"]) for one in show(rehearsal)["distributions"]}


@pytest.mark.parametrize(
    ("operation", "command"),
    [
        ("wafv2.UpdateIPSet", ("block", "192.0.2.7", "--yes")),
        ("cloudfront.UpdateDistribution", ("geo", "block", "SE", "--confirm", "Sweden")),
        ("cloudfront-keyvaluestore.UpdateKeys", ("revoke", "--by", "sub", "8841", "--yes")),
    ],
)
@pytest.mark.parametrize("times", [1, 2])
def test_an_answer_lost_after_the_write_landed_is_told_as_done_once(rehearsal, operation, command, times):
    reset(rehearsal, f"lost-answer:{operation}:count={times}")
    answer = rehearsal.onair(*command).expect().json()
    assert (answer["ok"], answer["changed"]) == (True, True)
    assert [part["result"] for part in answer["data"]["outcomes"]] == ["applied"] * len(answer["data"]["outcomes"])
    again = rehearsal.onair(*command).expect().json()
    assert again["changed"] is False, "it is there already"
    undone = rehearsal.onair("undo", "--yes").expect().json()
    assert undone["changed"] is True, "the one entry that there is"
    state = show(rehearsal)
    assert set(state["ip-sets"].values()) == {0}
    # What the gate itself keeps there: its signing keys and the key of its log digests.
    assert set(state["stores"].values()) == {2}
    assert all("SE" in one["countries"] for one in state["distributions"])


def boundaries(rehearsal):
    """The calls of the change when nothing goes wrong: every one of them is a boundary."""
    reset(rehearsal)
    rehearsal.onair("geo", "block", "SE", "--confirm", "Sweden").expect()
    return sum(show(rehearsal)["calls"].values())


@pytest.mark.parametrize("side", ["crash-before", "crash-after"])
def test_a_change_cut_off_at_any_boundary_is_completed_and_nothing_is_done_twice(rehearsal, side):
    assert kit.has_command("ledger", "resume"), "onair has no `ledger resume`"
    number = boundaries(rehearsal)
    assert number >= 5
    resumed = 0
    for nth in range(1, number + 1):
        reset(rehearsal, f"{side}:*:nth={nth}")
        before = countries(rehearsal)
        cut_off = rehearsal.onair("geo", "block", "SE", "--confirm", "Sweden")
        assert cut_off.code == -6, f"boundary {nth} of {number}: {cut_off}"
        # Within the change's deadline nobody can know that it is not under way any more.
        rehearsal.onair("ledger", "resume", "--yes").expect()
        rehearsal = rehearsal.later(minutes=5)
        rehearsal.onair("ledger", "resume", "--yes").expect()
        after = countries(rehearsal)
        if after == before:
            # The intent was not written down yet: nothing was done, and nothing is left to do.
            assert rehearsal.onair("undo", "--yes").code != 0, f"boundary {nth}: an entry without an effect"
            continue
        resumed += 1
        without = {id: found - {"SE"} for id, found in before.items()}
        assert after == without, f"boundary {nth}: half of it"
        calls = show(rehearsal)["calls"]["cloudfront.UpdateDistribution"]
        # Two updates land. The call that was cut off before it landed is counted, too.
        assert calls <= (3 if side == "crash-before" else 2), f"boundary {nth}: {calls} updates"
        again = rehearsal.onair("ledger", "resume", "--yes").expect().json()
        assert again["changed"] is False
        rehearsal.onair("undo", "--yes").expect()
        assert countries(rehearsal) == before
    assert resumed >= 2
