"""What the Python tests share: the real binary in a folder of its own, the embedded cloud on a
port, third-party emulators, boto3 clients, and a strict look at every answer that botocore parses.
"""

import base64
import contextlib
import datetime
import http.client
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree

import boto3
import botocore.config
import botocore.session
import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
RUNBOOK = ROOT / "runbooks" / "cup-final.toml"
ACCOUNT = "111122223333"
STARTUP_SECONDS = 60

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "made-up-for-tests",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def binary():
    """The binary under test: $ONAIR_BINARY, or the one that cargo built last for development."""
    named = os.environ.get("ONAIR_BINARY")
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    path = pathlib.Path(named) if named else target / "debug" / "onair"
    if not path.is_file():
        raise SystemExit(f"{path} is not there; build it with `cargo build`")
    return str(path)


class Run:
    """What one run of the binary answered."""

    def __init__(self, arguments, completed, seconds):
        self.arguments = arguments
        self.code = completed.returncode
        self.stdout = completed.stdout
        self.stderr = completed.stderr
        self.seconds = seconds

    def json(self):
        try:
            return json.loads(self.stdout)
        except ValueError as error:
            raise AssertionError(f"not one JSON document: {error}\n{self}") from None

    def expect(self, code=0):
        assert self.code == code, f"exit {self.code} instead of {code}\n{self}"
        return self

    def __str__(self):
        shown = " ".join(map(str, self.arguments))
        return f"onair {shown}\nexit {self.code}\n--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"


class Desk:
    """A folder with runbooks, an environment of its own, and options that every run begins with."""

    def __init__(self, runbook=None, name="cup-final"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="onair-test-"))
        self.name = name
        runbooks = self.folder / "runbooks"
        runbooks.mkdir()
        text = RUNBOOK.read_text() if runbook is None else runbook
        (runbooks / f"{name}.toml").write_text(text)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "USER": "jess",
            "ONAIR_EVENT": name,
        }
        self.options = []
        # The evening of the event, whenever the tests run: a minute after kickoff and on from there.
        self.evening = datetime.datetime(2026, 6, 14, 18, 31, tzinfo=datetime.timezone.utc)
        self.begun = time.monotonic()

    def _copy(self):
        desk = object.__new__(Desk)
        desk.folder, desk.name = self.folder, self.name
        desk.environment, desk.options = dict(self.environment), list(self.options)
        desk.evening, desk.begun = self.evening, self.begun
        return desk

    def env(self, **variables):
        desk = self._copy()
        desk.environment.update(variables)
        return desk

    def as_operator(self, name):
        return self.env(ONAIR_OPERATOR=name)

    def rehearsing(self):
        desk = self._copy()
        desk.options.append("--rehearsal")
        return desk

    def later(self, **duration):
        """The same desk some time on."""
        desk = self._copy()
        desk.evening += datetime.timedelta(**duration)
        return desk

    def against(self, url=None, **endpoints):
        """A custom endpoint for everything, or per service: CLOUDFRONT=url, S3=url …"""
        named = {f"AWS_ENDPOINT_URL_{service}": one for service, one in endpoints.items()}
        if url is not None:
            named["AWS_ENDPOINT_URL"] = url
        return self.env(ONAIR_ADDRESS_URL="none", ONAIR_OPERATOR="jess", **CREDENTIALS, **named)

    def command(self, arguments):
        """The command line of a run, with the desk's evening as its time."""
        since = datetime.timedelta(seconds=time.monotonic() - self.begun)
        now = (self.evening + since).isoformat().replace("+00:00", "Z")
        return [binary(), "--now", now, *self.options, *map(str, arguments)]

    def start(self, *arguments, **options):
        """Starts the binary and does not wait for it."""
        return subprocess.Popen(
            self.command(arguments),
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def onair(self, *arguments, input=""):
        """Runs the binary; the answer is JSON unless the arguments say otherwise."""
        arguments = list(map(str, arguments))
        if not any(one in ("-o", "--output") for one in arguments):
            arguments = ["-o", "json", *arguments]
        begin = time.monotonic()
        completed = subprocess.run(
            self.command(arguments),
            cwd=self.folder,
            env=self.environment,
            input=input,
            capture_output=True,
            text=True,
            timeout=300,
        )
        return Run(arguments, completed, time.monotonic() - begin)

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class Served:
    """The embedded cloud on a loopback port."""

    def __init__(self, desk, *options):
        arguments = ["-o", "json", "sandbox", "serve", "--port", "0", *options]
        self.process = desk.start(*arguments)
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"sandbox serve ended: {self.process.stderr.read()}")
        self.url = json.loads(line)["url"]
        self.desk = desk

    def show(self):
        """What the embedded cloud holds, and the calls that it counted."""
        return self.desk.onair("sandbox", "show").expect().json()["data"]

    def now(self):
        """The embedded cloud's time: it has a clock of its own."""
        return datetime.datetime.fromisoformat(self.show()["now"].replace("Z", "+00:00")[:26] + "+00:00")

    def close(self):
        end(self.process)


def end(process):
    """Ends a process that was started here."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()
    for stream in (process.stdout, process.stderr):
        if stream:
            stream.close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except (urllib.error.URLError, OSError):
        return False


@contextlib.contextmanager
def emulator(name):
    """Moto or ministack on a free loopback port; yields its URL."""
    port = free_port()
    beside = pathlib.Path(sys.executable).parent
    environment = {**os.environ, "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port)}
    environment.pop("AWS_ENDPOINT_URL", None)
    command = {
        "moto": [beside / "moto_server", "-H", "127.0.0.1", "-p", str(port)],
        "ministack": [beside / "ministack"],
    }[name]
    with tempfile.TemporaryFile() as log, tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        url = f"http://127.0.0.1:{port}"
        try:
            deadline = time.monotonic() + STARTUP_SECONDS
            while not answers(url):
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise AssertionError(f"{name} did not start: {log.read().decode()[-2000:]}")
                time.sleep(0.1)
            yield url
        finally:
            end(process)


def client(service, url=None, strict=None, region="us-east-1", **settings):
    """A boto3 client without retries; `strict` is told of every answer."""
    # Signing, serializing and parsing are the real thing; the credentials are nobody's.
    session = boto3.session.Session(
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=region,
    )
    settings.setdefault("retries", {"total_max_attempts": 1})
    config = botocore.config.Config(**settings)
    made = session.client(service, endpoint_url=url, config=config)
    if strict is not None:
        made.meta.events.register("before-parse.*.*", strict.look)
    return made


def bucket_client(url):
    """A boto3 client for S3 in the runbook's region, where the ledger's bucket is."""
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name="eu-central-1",
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=botocore.config.Config(s3={"addressing_style": "path"}),
    )


def make_bucket(url, name):
    where = {"LocationConstraint": "eu-central-1"}
    bucket_client(url).create_bucket(Bucket=name, CreateBucketConfiguration=where)


def refused(call, **arguments):
    """The code with which a call is refused."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


ISO_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"
# Codes that every service may answer without its model saying so.
COMMON_CODES = {
    "AccessDenied",
    "AccessDeniedException",
    "InternalFailure",
    "InvalidAction",
    "InvalidSignatureException",
    "MalformedXML",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "SerializationException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "SignatureDoesNotMatch",
    "Throttling",
    "ThrottlingException",
    "ValidationError",
    "UnknownOperationException",
    "ValidationException",
}


class Strict:
    """Compares each raw answer with the shape that botocore parses it by: no member that the shape
    does not know, none missing that it requires, every value of its type.
    """

    def __init__(self):
        self.succeeded = {}
        self.failed = {}
        self.problems = []

    def look(self, operation_model, response_dict, **_):
        service = operation_model.service_model
        name = f"{service.service_name}.{operation_model.name}"
        status, body = response_dict["status_code"], response_dict["body"]
        headers = {key.lower(): value for key, value in response_dict["headers"].items()}
        if not {"x-amzn-requestid", "x-amz-request-id"} & set(headers):
            self.problems.append(f"{name}: no request id")
        protocol = service.metadata["protocol"]
        if headers.get("content-type", "").startswith("application/x-amz-json"):
            # A service of several protocols (CloudWatch): boto3 chose this one.
            protocol = "json"
        if status >= 300:
            code = self._error(name, operation_model, protocol, body, headers)
            self.failed.setdefault(name, set()).add(code)
            return
        self.succeeded[name] = self.succeeded.get(name, 0) + 1
        shape = operation_model.output_shape
        wanted = operation_model.http.get("responseCode")
        if wanted and protocol.startswith("rest") and status != wanted:
            self.problems.append(f"{name}: status {status} instead of {wanted}")
        if shape is not None:
            self._output(name, operation_model, protocol, shape, body, headers)
        elif body and protocol.startswith("rest"):
            self.problems.append(f"{name}: a body where there is none")

    def _output(self, name, operation_model, protocol, shape, body, headers):
        in_body = {}
        for member, inner in shape.members.items():
            if inner.serialization.get("location") == "header":
                header = inner.serialization.get("name", member).lower()
                # S3 has dozens, each sent only where there is something to say.
                if header not in headers and operation_model.service_model.service_name != "s3":
                    self.problems.append(f"{name}: header {header} is missing")
            else:
                in_body[member] = inner
        payload = shape.serialization.get("payload")
        if not body and operation_model.http["method"] == "HEAD":
            return
        if payload:
            inner = shape.members[payload]
            if inner.type_name in ("blob", "string"):
                return
            root = ElementTree.fromstring(body)
            expected = inner.serialization.get("name", inner.name)
            accepted = {expected, payload, inner.name}
            if local(root.tag) not in accepted:
                self.problems.append(f"{name}: root {local(root.tag)}, not one of {accepted}")
            self._xml(f"{name}.{payload}", inner, root)
        elif not in_body:
            if body and body != b"{}" and protocol != "query":
                self.problems.append(f"{name}: a body where there is none: {body[:80]}")
        elif protocol in ("json", "rest-json"):
            self._json(name, shape, json.loads(body), set(in_body))
        else:
            root = ElementTree.fromstring(body)
            wrapper = shape.serialization.get("resultWrapper")
            if wrapper:
                names = [local(child.tag) for child in root]
                if names != [wrapper, "ResponseMetadata"]:
                    self.problems.append(f"{name}: {names} in the response")
                root = root[0]
            self._xml(name, shape, root)

    def _error(self, name, operation_model, protocol, body, headers):
        modelled = {shape.error_code: shape for shape in operation_model.error_shapes}
        modelled |= {shape.name: shape for shape in operation_model.error_shapes}
        if protocol in ("json", "rest-json"):
            document = json.loads(body)
            code = headers.get("x-amzn-errortype", document.pop("__type", "")).split(":")[0]
            code = code.split("#")[-1]
            if code in modelled:
                if not modelled[code].members:
                    # Modelled as empty, and sent with its reason all the same.
                    document.pop("message", None)
                self._json(f"{name}!{code}", modelled[code], document)
        elif operation_model.service_model.service_name == "s3":
            # S3's model has no errors to speak of, and an answer to HEAD has no body.
            return ElementTree.fromstring(body).findtext("Code") if body else "404"
        else:
            root = ElementTree.fromstring(body)
            tags = [local(child.tag) for child in root]
            if tags != ["Error", "RequestId"]:
                self.problems.append(f"{name}: {tags} in an error")
            code = root.findtext("{*}Error/{*}Code")
            for tag in (local(child.tag) for child in root[0]):
                if tag not in ("Type", "Code", "Message"):
                    self.problems.append(f"{name}!{code}: unknown member {tag}")
        if code not in modelled and code not in COMMON_CODES:
            known = sorted(shape.name for shape in operation_model.service_model.error_shapes)
            where = "of another operation" if code in known else "unknown to the service"
            self.problems.append(f"{name}: error {code} is {where}")
        return code

    def _required(self, where, shape, present):
        for member in shape.required_members:
            if member not in present:
                self.problems.append(f"{where}: required {member} is missing")

    def _json(self, where, shape, value, members=None):
        kind = shape.type_name
        if kind == "structure":
            if not isinstance(value, dict):
                return self._wrong(where, kind, value)
            known = {inner.serialization.get("name", name): (name, inner) for name, inner in shape.members.items()}
            for name, item in value.items():
                if name not in known or (members is not None and known[name][0] not in members):
                    self.problems.append(f"{where}: unknown member {name}")
                elif item is None:
                    self.problems.append(f"{where}.{name}: null")
                else:
                    self._json(f"{where}.{name}", known[name][1], item)
            present = {known[name][0] for name in value if name in known}
            if members is not None:
                present |= set(shape.members) - members
            self._required(where, shape, present)
            if getattr(shape, "is_tagged_union", False) and len(value) != 1:
                self.problems.append(f"{where}: a union of {len(value)} members")
        elif kind == "list":
            if not isinstance(value, list):
                return self._wrong(where, kind, value)
            for number, item in enumerate(value):
                self._json(f"{where}[{number}]", shape.member, item)
        elif kind == "map":
            if not isinstance(value, dict):
                return self._wrong(where, kind, value)
            for key, item in value.items():
                self._json(f"{where}[{key}]", shape.value, item)
        elif kind == "timestamp":
            # Epoch seconds, unless the model says that this one is a text.
            if shape.serialization.get("timestampFormat") == "iso8601":
                good = isinstance(value, str) and re.fullmatch(ISO_TIME, value)
            else:
                good = not isinstance(value, bool) and isinstance(value, (int, float))
            if not good:
                self._wrong(where, kind, value)
        elif kind == "boolean":
            if not isinstance(value, bool):
                self._wrong(where, kind, value)
        elif kind in ("integer", "long"):
            if isinstance(value, bool) or not isinstance(value, int):
                self._wrong(where, kind, value)
        elif kind in ("float", "double"):
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                self._wrong(where, kind, value)
        elif not isinstance(value, str):
            self._wrong(where, kind, value)
        else:
            self._word(where, shape, value)
        return None

    def _xml(self, where, shape, element):
        kind = shape.type_name
        if kind == "structure":
            known = {}
            for name, inner in shape.members.items():
                if inner.serialization.get("location") == "header":
                    continue
                known[inner.serialization.get("name", name)] = (name, inner)
            present = set()
            for child in element:
                tag = local(child.tag)
                if tag not in known:
                    self.problems.append(f"{where}: unknown member {tag}")
                    continue
                name, inner = known[tag]
                if name in present and not inner.serialization.get("flattened"):
                    self.problems.append(f"{where}: {tag} is there twice")
                present.add(name)
                # A flattened list has no element of its own: each of its items is one.
                is_item = inner.type_name == "list" and inner.serialization.get("flattened")
                self._xml(f"{where}.{tag}", inner.member if is_item else inner, child)
            self._required(where, shape, present)
        elif kind == "list":
            tag = shape.member.serialization.get("name", "member")
            for number, child in enumerate(element):
                if local(child.tag) != tag:
                    self.problems.append(f"{where}: {local(child.tag)} in a list of {tag}")
                self._xml(f"{where}[{number}]", shape.member, child)
        else:
            text = element.text or ""
            if len(element):
                self._wrong(where, kind, "elements")
            elif kind == "boolean":
                if text not in ("true", "false"):
                    self._wrong(where, kind, text)
            elif kind in ("integer", "long"):
                if not re.fullmatch(r"-?\d+", text):
                    self._wrong(where, kind, text)
            elif kind in ("float", "double"):
                if not re.fullmatch(r"-?\d+(\.\d+)?", text):
                    self._wrong(where, kind, text)
            elif kind == "timestamp":
                if not re.fullmatch(ISO_TIME, text):
                    self._wrong(where, kind, text)
            elif kind == "blob":
                base64.b64decode(text, validate=True)
            elif text:
                self._word(where, shape, text)

    def _word(self, where, shape, text):
        words = getattr(shape, "enum", None)
        if words and text not in words:
            self.problems.append(f"{where}: {text!r} is none of its words")

    def _wrong(self, where, kind, value):
        self.problems.append(f"{where}: {value!r} is no {kind}")


def local(tag):
    return tag.rsplit("}", 1)[-1]


def operations_of_the_embedded_cloud():
    """Every operation that the sources of the embedded cloud name, as SERVICE.Operation."""
    sandbox = ROOT / "src" / "sandbox"
    routes = (sandbox / "cloudfront" / "routes.rs").read_text()
    cloudfront = re.findall(r'Self::\w+(?:\(_\))? => "(\w+)"', routes)
    waf = (sandbox / "wafv2" / "mod.rs").read_text()
    listed = re.search(r"const OPERATIONS: .*?= \[(.*?)\];", waf, re.S).group(1)
    stores = (sandbox / "keyvaluestore" / "calls.rs").read_text()
    items = re.findall(r'Operation::\w+ => "(\w+)"', stores)
    found = {f"cloudfront.{name}" for name in cloudfront}
    found |= {f"wafv2.{name}" for name in re.findall(r'"(\w+)"', listed)}
    found |= {f"cloudfront-keyvaluestore.{name}" for name in items}
    found.add("sts.GetCallerIdentity")
    for service in ("athena", "glue", "kinesis", "logs"):
        module = (sandbox / service / "mod.rs").read_text()
        listed = re.search(r"const OPERATIONS: .*?= \[(.*?)\];", module, re.S).group(1)
        found |= {f"{service}.{name}" for name in re.findall(r'"(\w+)"', listed)}
    wire = (sandbox / "s3" / "wire.rs").read_text()
    found |= {f"s3.{name}" for name in re.findall(r'Some\("(\w*(?:Bucket|Object)\w*)"\)', wire)}
    assert len(cloudfront) > 20 and len(items) == 6, "the sources are no longer written as expected"
    return found


def utc(seconds=0):
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)


class Between:
    """A loopback proxy that does something once, just before the first request that `matches`
    reaches the emulator: the moment between another's read and write.
    """

    def __init__(self, url, matches, action):
        self.hits = 0
        between = self
        target = urllib.parse.urlsplit(url).netloc
        lock = threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def forward(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with lock:
                    if matches(self.command, self.path, self.headers):
                        between.hits += 1
                        if between.hits == 1:
                            action()
                connection = http.client.HTTPConnection(target, timeout=30)
                connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                        connection.putheader(name, value)
                connection.putheader("Content-Length", str(len(body)))
                connection.endheaders(body)
                answer = connection.getresponse()
                content = answer.read()
                self.send_response_only(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                connection.close()

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = forward

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def runbook(account=ACCOUNT, distributions=("E1CUPFINAL0001", "E1CUPFINAL0002"), bucket="example-onair-ledgers"):
    """The worked runbook for another account, its distributions and its ledger."""
    text = RUNBOOK.read_text()
    for before, after in (
        ("E1CUPFINAL0001", distributions[0]),
        ("E1CUPFINAL0002", distributions[1]),
        # The account of the runbook, and of the ARNs in it.
        (ACCOUNT, account),
        ("s3://example-onair-ledgers/", f"s3://{bucket}/"),
    ):
        assert before in text, f"the worked runbook has no {before}"
        text = text.replace(before, after)
    return text


def has_command(*words):
    """Whether the binary has a command. What is not there is no reason to pass: the caller fails."""
    done = subprocess.run([binary(), *words, "--help"], capture_output=True, text=True)
    return done.returncode == 0
