"""A ledger on a disk that is full. It needs a file system of its own and so the right to mount one,
which CI has: `.ci/run` runs it, the README's test command does not.
"""

import subprocess

import pytest

import kit


def test_a_full_disk_for_the_ledger_is_like_a_store_that_is_away():
    """The ledger is on a file system of 64 KiB that is full; the spool is elsewhere."""
    desk = kit.Desk()
    served = kit.Served(desk)
    small = desk.folder / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], check=True)
    try:
        ledger = desk.folder / "runbooks" / ".onair" / "endpoint" / "cup-final"
        ledger.mkdir(parents=True)
        (ledger / "ledger").symlink_to(small)
        (small / "filler").write_bytes(b"x" * 60 * 1024)
        with open(small / "filler", "ab") as filler, pytest.raises(OSError):
            filler.write(b"x" * 64 * 1024)
            filler.flush()
        operator = desk.against(served.url)
        run = operator.onair("block", "20.9.9.9", "--yes").expect()
        assert run.json()["changed"] is True
        assert any("spool" in warning for warning in run.json()["warnings"]), run
        run = operator.onair("geo", "block", "IT", "--confirm", "Italy").expect(1)
        assert run.json()["changed"] is False, run
        (small / "filler").unlink()
        operator.onair("ledger", "sync").expect()
        assert len(operator.onair("ip", "list").expect().json()["data"]["entries"]) == 1
    finally:
        served.close()
        subprocess.run(["umount", small], check=True)
        desk.close()
