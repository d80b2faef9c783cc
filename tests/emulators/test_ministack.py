"""The real binary against ministack: distributions with true ETags, the key value stores, the dashboard, the
ledger in its S3, queries in its Athena."""

import gzip
import uuid
import xml.etree.ElementTree as ElementTree

import pytest

import kit

ACCOUNT = "000000000000"
BUCKET = "onair-ledgers"
COUNTRIES = ["AT", "CH", "DE", "FI", "IT", "SE"]


@pytest.fixture(scope="module")
def ministack():
    with kit.emulator("ministack") as url:
        yield url


def configuration():
    return {
        "CallerReference": uuid.uuid4().hex,
        "Comment": "the event & its viewers",
        "Enabled": True,
        "Aliases": {"Quantity": 1, "Items": [f"{uuid.uuid4().hex}.example.com"]},
        "Origins": {
            "Quantity": 1,
            "Items": [
                {
                    "Id": "one",
                    "DomainName": "origin.example.com",
                    "CustomOriginConfig": {
                        "HTTPPort": 80,
                        "HTTPSPort": 443,
                        "OriginProtocolPolicy": "https-only",
                        "OriginReadTimeout": 17,
                    },
                }
            ],
        },
        "DefaultCacheBehavior": {
            "TargetOriginId": "one",
            "ViewerProtocolPolicy": "redirect-to-https",
            "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
        },
        "Restrictions": {
            "GeoRestriction": {"RestrictionType": "whitelist", "Quantity": len(COUNTRIES), "Items": COUNTRIES}
        },
    }


class Account:
    """Two distributions and a key value store, as the runbook of this test names them."""

    def __init__(self, url):
        reset = kit.urllib.request.Request(f"{url}/_ministack/reset", method="POST")
        kit.urllib.request.urlopen(reset).close()
        self.url = url
        self.cloudfront = kit.client("cloudfront", url)
        self.ids = [
            self.cloudfront.create_distribution(DistributionConfig=configuration())["Distribution"]["Id"]
            for _ in range(2)
        ]
        self.store = self.cloudfront.create_key_value_store(Name="onair-cup-final-revocations")["KeyValueStore"]
        kit.make_bucket(url, BUCKET)

    def countries(self, number=0):
        config = self.cloudfront.get_distribution_config(Id=self.ids[number])["DistributionConfig"]
        geo = config["Restrictions"]["GeoRestriction"]
        return geo["RestrictionType"], sorted(geo["Items"])

    def edit(self, number=0, **change):
        """A colleague's own tool: reads, changes, writes."""
        read = self.cloudfront.get_distribution_config(Id=self.ids[number])
        config = {**read["DistributionConfig"], **change}
        self.cloudfront.update_distribution(Id=self.ids[number], IfMatch=read["ETag"], DistributionConfig=config)

    def elements(self, number=0):
        """Every element of the configuration with its text, but for the geo restriction."""
        caught = []
        client = kit.client("cloudfront", self.url)
        client.meta.events.register(
            "before-parse.*.*", lambda response_dict, **_: caught.append(response_dict["body"])
        )
        client.get_distribution_config(Id=self.ids[number])
        root = ElementTree.fromstring(caught[0])
        restrictions = root.find("{*}Restrictions")
        root.remove(restrictions)
        found = []

        def walk(element, path):
            path = f"{path}/{kit.local(element.tag)}"
            found.append((path, (element.text or "").strip()))
            for child in element:
                walk(child, path)

        walk(root, "")
        return found


@pytest.fixture
def account(ministack):
    return Account(ministack)


@pytest.fixture
def desk(ministack, account):
    desk = kit.Desk(kit.runbook(ACCOUNT, account.ids, BUCKET)).against(ministack, S3=ministack)
    yield desk
    desk.close()


def test_geo_block_and_undo_change_the_one_field(desk, account):
    before = [account.elements(0), account.elements(1)]
    answer = desk.onair("geo", "block", "SE", "--confirm", "Sweden").expect().json()
    assert (answer["target"], answer["account"]) == ("endpoint", ACCOUNT)
    without = ("whitelist", ["AT", "CH", "DE", "FI", "IT"])
    assert [account.countries(0), account.countries(1)] == [without, without]
    assert [account.elements(0), account.elements(1)] == before
    account.edit(Comment="changed by a colleague")
    assert account.elements(0) != before[0]
    edited = account.elements(0)
    desk.onair("undo", "--yes").expect()
    assert [account.countries(0), account.countries(1)] == [("whitelist", COUNTRIES)] * 2
    assert [account.elements(0), account.elements(1)] == [edited, before[1]]


def test_a_colleagues_write_between_read_and_write_is_replayed_over(desk, account, ministack):
    def is_update(method, path, _):
        return method == "PUT" and path.endswith("/config")

    restrictions = {
        "GeoRestriction": {"RestrictionType": "whitelist", "Quantity": 5, "Items": ["AT", "CH", "DE", "FI", "SE"]}
    }
    between = kit.Between(
        ministack, is_update, lambda: account.edit(Comment="just now", Restrictions=restrictions)
    )
    desk.against(between.url).onair("geo", "block", "SE", "--confirm", "Sweden").expect()
    between.close()
    assert between.hits == 3, "one refused, two accepted"
    assert account.countries(0) == ("whitelist", ["AT", "CH", "DE", "FI"])
    config = account.cloudfront.get_distribution_config(Id=account.ids[0])["DistributionConfig"]
    assert config["Comment"] == "just now"
    desk.onair("undo", "--yes").expect()
    assert account.countries(0) == ("whitelist", ["AT", "CH", "DE", "FI", "SE"])


def test_the_ledger_in_the_bucket_is_everyones(desk, account, ministack):
    desk.onair("geo", "block", "SE", "--confirm", "Sweden").expect()
    elsewhere = kit.Desk(kit.runbook(ACCOUNT, account.ids, BUCKET)).against(ministack, S3=ministack)
    elsewhere = elsewhere.as_operator("tom")
    elsewhere.onair("undo", "jess-1").expect(4)
    elsewhere.onair("undo", "jess-1", "--yes").expect()
    assert account.countries(0) == ("whitelist", COUNTRIES)
    elsewhere.close()


def test_tokens_are_revoked_and_restored(desk, account, ministack):
    assert kit.has_command("token", "revoke"), "onair has no `token revoke`"
    desk.onair("revoke", "--by", "sub", "8841", "9012", "--yes", "-m", "shared account").expect()
    assert len(keys(account)) == 2
    nothing = desk.onair("revoke", "--by", "sub", "8841", "--yes").expect().json()
    assert nothing["changed"] is False
    desk.onair("token", "restore", "--by", "sub", "9012", "--yes").expect()
    assert len(keys(account)) == 1
    desk.onair("undo", "--yes").expect()
    assert len(keys(account)) == 2


def keys(account):
    """The keys by plain HTTP: boto3 would need a hosts-file line for the host name."""
    arn = kit.urllib.parse.quote(account.store["ARN"], safe="")
    authorization = (
        "AWS4-ECDSA-P256-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260614/cloudfront-keyvaluestore/aws4_request, "
        "SignedHeaders=host, Signature=00"
    )
    request = kit.urllib.request.Request(
        f"{account.url}/key-value-stores/{arn}/keys?MaxResults=50", headers={"Authorization": authorization}
    )
    with kit.urllib.request.urlopen(request) as answer:
        return {item["Key"]: item["Value"] for item in kit.json.load(answer)["Items"]}


def test_a_dashboard_comes_back_as_it_was_stored(desk, account):
    glass = ("--break-glass", "-m", "redraw", "--yes")
    desk.onair("dashboard", "apply", *glass).expect(0)
    stored = kit.client("cloudwatch", account.url).get_dashboard(DashboardName="onair-cup-final")
    drawn = desk.onair("-o", "table", "dashboard", "render").expect(0).stdout
    assert stored["DashboardBody"] == drawn.rstrip("\n")
    desk.onair("dashboard", "diff").expect(0)
    again = desk.onair("dashboard", "apply", *glass).expect(0)
    assert again.json()["changed"] is False


@pytest.fixture
def athena(ministack):
    """Real-time logs in its S3 under a table that it reads, and a workgroup."""
    reset = kit.urllib.request.Request(f"{ministack}/_ministack/reset", method="POST")
    kit.urllib.request.urlopen(reset).close()
    kit.make_bucket(ministack, BUCKET)
    kit.make_bucket(ministack, "example-cup-final-logs")
    kit.make_bucket(ministack, "example-cup-final-athena")
    lines = "".join(f"17814564{row:05}\t192.0.2.{row % 7}\t{row}\n" for row in range(2500))
    kit.bucket_client(ministack).put_object(
        Bucket="example-cup-final-logs", Key="realtime/one.gz", Body=gzip.compress(lines.encode())
    )
    glue = kit.client("glue", ministack, region="eu-central-1")
    glue.create_database(DatabaseInput={"Name": "cup_final"})
    columns = [("timestamp", "string"), ("c_ip", "string"), ("sc_bytes", "bigint")]
    storage = {
        "Columns": [{"Name": name, "Type": kind} for name, kind in columns],
        "Location": "s3://example-cup-final-logs/realtime/",
        "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
        "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        "SerdeInfo": {
            "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
            "Parameters": {"field.delim": "\t", "serialization.format": "\t"},
        },
    }
    table = {"Name": "realtime", "TableType": "EXTERNAL_TABLE", "StorageDescriptor": storage}
    glue.create_table(DatabaseName="cup_final", TableInput=table)
    output = {"ResultConfiguration": {"OutputLocation": "s3://example-cup-final-athena/results"}}
    kit.client("athena", ministack, region="eu-central-1").create_work_group(
        Name="onair-cup-final", Configuration=output
    )
    desk = kit.Desk(kit.runbook(ACCOUNT, bucket=BUCKET)).against(ministack, S3=ministack)
    yield desk
    desk.close()


def asked(desk, *words):
    window = ["--since", "2026-06-14T17:00:00Z", "--until", "2026-06-14T19:00:00Z", "--source", "realtime"]
    return desk.onair("-o", "json", "query", "run", *words, *window)


def test_another_athena_gives_all_pages_of_its_rows(athena):
    """It speaks DuckDB's dialect and binds no parameters, so no text of the catalog runs on it; the API is Athena's."""
    answer = asked(athena, "--sql", "SELECT sc_bytes, c_ip FROM realtime ORDER BY 1").expect(0).json()
    rows = answer["data"]["rows"]
    assert [row["sc_bytes"] for row in rows] == list(range(2500))
    assert rows[8]["c_ip"] == "192.0.2.1"
    assert any("does not read `requests`" in warning for warning in answer["warnings"]), answer["warnings"]


def test_another_athenas_refusal_is_passed_on(athena):
    refused = asked(athena, "--sql", "SELECT nothing FROM realtime").expect(1).json()
    assert refused["error"]["code"] == "query.failed"
    assert "nothing" in refused["error"]["message"]
