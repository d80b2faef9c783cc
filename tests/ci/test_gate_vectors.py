"""The gate under Node with Common Access Tokens that other libraries made, from the folder of real tokens."""

import json
import os
from pathlib import Path

from edge.test_gate import EVENT, base64url, cat_gate  # noqa: F401 (a fixture)


def test_cats_of_other_libraries_verify(cat_gate):
    vectors = json.loads((Path(os.environ["ONAIR_SHARED_DATA"]) / "tokens" / "cat-tokens.json").read_text())
    proved = 0
    for vector in vectors:
        if vector["payload_is_text_string"] or vector["protected"] != "{1: 5}":
            continue
        key = base64url(bytes.fromhex(vector["hs256_key_hex"]))
        kid = "akamai_key_hs256" if "akamai" in vector["unprotected"] else "Symmetric256"
        keys = {f"{EVENT}::keys": json.dumps({kid: {"k": key, "state": "current"}})}
        token = vector["token"]
        _, reason, _ = cat_gate.ask(token.replace("+", "%2B"), items=keys)
        # They are years old: what is asked is whether the gate believes them, not whether it lets them in.
        assert reason not in ("signature", "malformed", "algorithm", "unknown-key", "no-keys"), vector["test"]
        proved += 1
    assert proved >= 7
