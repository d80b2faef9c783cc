"""The binary at a terminal: what it asks, and what Ctrl-C does."""

import json
import os
import pty
import select
import signal
import time

import pytest

import kit


@pytest.fixture
def desk():
    desk = kit.Desk().rehearsing()
    desk.onair("sandbox", "reset", "--rates", "off").expect()
    yield desk
    desk.close()


def at_terminal(desk, arguments, keys=(), interrupt_at=None, seconds=60):
    """Runs the binary on a terminal of its own. `keys` are (what is waited for, what is typed)."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(desk.folder)
        os.execve(kit.binary(), desk.command(arguments), desk.environment)
    shown, keys = b"", list(keys)
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            ready, _, _ = select.select([terminal], [], [], 0.1)
            if ready:
                try:
                    read = os.read(terminal, 65536)
                except OSError:
                    break
                if not read:
                    break
                shown += read
            if keys and keys[0][0] in shown:
                os.write(terminal, keys.pop(0)[1])
            if interrupt_at and interrupt_at in shown:
                interrupt_at = None
                os.kill(child, signal.SIGINT)
        else:
            os.kill(child, signal.SIGKILL)
    finally:
        _, status = os.waitpid(child, 0)
        os.close(terminal)
    return os.waitstatus_to_exitcode(status), shown.decode(errors="replace")


def blocked(desk):
    return desk.onair("ip", "export", "-o", "table").expect().stdout.split()


def entries(desk):
    return desk.onair("ip", "list").expect().json()["data"]["entries"]


def test_enter_goes_and_the_effect_is_shown_before_it(desk):
    code, shown = at_terminal(desk, ["block", "20.9.9.9"], [(b"Enter to go", b"\r")])
    assert code == 0, shown
    assert shown.index("BLOCK 20.9.9.9/32") < shown.index("Enter to go"), shown
    assert blocked(desk) == ["20.9.9.9/32"]


def test_ctrl_c_at_the_confirmation_changes_nothing(desk):
    code, shown = at_terminal(desk, ["block", "20.9.9.9"], [(b"Enter to go", b"\x03")])
    assert code == 130, shown
    assert "nothing was changed" in shown
    assert blocked(desk) == [] and entries(desk) == []


def test_the_end_of_input_at_the_confirmation_changes_nothing(desk):
    code, shown = at_terminal(desk, ["block", "20.9.9.9"], [(b"Enter to go", b"\x04")])
    assert code == 130, shown
    assert blocked(desk) == []


def test_a_wide_prefix_wants_a_y_and_a_country_its_name(desk):
    code, shown = at_terminal(desk, ["block", "20.9.8.0/23"], [(b"[y/N]", b"\r")])
    assert code == 4 and "not confirmed" in shown, shown
    code, shown = at_terminal(desk, ["geo", "block", "IT"], [(b"to go", b"y\r")])
    assert code == 4 and "not confirmed" in shown, shown
    code, shown = at_terminal(desk, ["geo", "block", "IT"], [(b"to go", b"Italy\r")])
    assert code == 0, shown


def test_ctrl_c_while_a_change_is_applied_finishes_the_step_and_says_how_to_resume(desk):
    desk.onair("sandbox", "reset", "--keep", "--fault", "latency=1s").expect()
    code, shown = at_terminal(
        desk, ["geo", "block", "IT", "--confirm", "Italy", "--no-verify", "-vv"], interrupt_at=b"taking a turn"
    )
    assert code == 130, shown
    assert "finishing the step in hand" in shown, shown
    assert "onair ledger resume" in shown, shown
    desk.onair("sandbox", "reset", "--keep", "--fault", "latency=0s").expect()
    desk.onair("ledger", "resume", "--yes").expect()
    distributions = desk.onair("geo", "status").expect().json()["data"]["distributions"]
    assert all("IT" not in one["countries"] for one in distributions), distributions


def test_ctrl_c_while_the_roll_out_is_watched_leaves_the_change_in_place(desk):
    desk.onair("sandbox", "reset", "--keep", "--at", "ko+20m", "--fault", "rollout=600s").expect()
    code, shown = at_terminal(
        desk,
        ["geo", "block", "IT", "--confirm", "Italy", "--wait", "--verify", "-v"],
        interrupt_at=b"proving that viewers feel it",
    )
    assert code == 130, shown
    assert "the change stands" in shown and "nothing was changed" not in shown, shown
    distributions = desk.onair("geo", "status").expect().json()["data"]["distributions"]
    assert all("IT" not in one["countries"] for one in distributions), distributions


def test_ctrl_c_in_the_middle_of_5000_revocations_is_resumed(desk):
    """A bar shows how far it is, the batch in hand is finished, and resume does the rest once."""
    (desk.folder / "viewers.txt").write_text("".join(f"viewer-{number}\n" for number in range(5000)))
    desk.onair("sandbox", "reset", "--keep", "--fault", "latency=50ms").expect()
    # The gate's own keys are there from the beginning.
    seeded = sum(desk.onair("sandbox", "show").expect().json()["data"]["stores"].values())
    code, shown = at_terminal(
        desk.env(TERM="xterm-256color"),
        ["revoke", "--by", "sub", "@viewers.txt", "--yes", "--no-verify"],
        interrupt_at=b"revocation keys",
    )
    assert code == 130, shown
    assert "/5000" in shown and "onair ledger resume jess-1" in shown, shown
    desk.onair("sandbox", "reset", "--keep", "--fault", "latency=0ms").expect()

    def held():
        show = desk.onair("sandbox", "show").expect().json()["data"]
        return sum(show["stores"].values()) - seeded, show["calls"]["cloudfront-keyvaluestore.UpdateKeys"]

    keys, _ = held()
    assert 0 < keys < 5000
    desk.onair("ledger", "resume", "--yes").expect()
    assert held() == (5000, 100)


def test_ctrl_c_leaves_no_query_running_in_athena(desk):
    desk.onair("sandbox", "reset", "--keep", "--at", "doors+1h").expect()
    desk.onair("sandbox", "set", "settings", "/query-seconds", "600").expect()
    code, shown = at_terminal(
        desk.env(TERM="xterm-256color"),
        ["query", "run", "countries", "--since", "doors", "--until", "doors+20m"],
        interrupt_at=b"Athena: running",
    )
    assert code == 130, shown
    assert "was stopped" in shown, shown
    state = json.loads(next(desk.folder.rglob("athena.*.json")).read_text())
    executions = [one for region in state["regions"].values() for one in region["executions"].values()]
    assert [one["outcome"]["state"] for one in executions] == ["CANCELLED"], executions


def test_ctrl_c_leaves_no_query_running_in_logs_insights(desk):
    group = {"created": "2026-06-14T12:00:00Z", "streams": ["access"], "events": []}
    desk.onair("sandbox", "set", "logs", "/groups/groups/us-east-1", json.dumps({"/event/logs": group})).expect()
    desk.onair("sandbox", "set", "settings", "/query-seconds", "600").expect()
    code, shown = at_terminal(
        desk.env(TERM="xterm-256color"),
        ["-vv", "query", "run", "countries", "--local", "logs:///event/logs?region=us-east-1", "--no-cache"]
        + ["--since", "doors", "--until", "doors+20m"],
        interrupt_at=b"logs.GetQueryResults",
    )
    assert code == 130, shown
    state = json.loads(next(desk.folder.rglob("logs.*.json")).read_text())
    queries = list(state["groups"]["queries"].values())
    assert queries and all(query["stopped"] for query in queries), queries
