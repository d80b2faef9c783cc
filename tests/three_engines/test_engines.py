"""One text, several engines: every query of the catalog over a generated event, on the engine in the binary
(its own readers) and, translated by sqlglot, on DuckDB over the same files (through the view that Athena gets).

Approximate functions are held against exact ones with their error: see `bounds`.
"""

import datetime
import gzip
import math
import pathlib
import re
import subprocess

import duckdb
import pytest
import sqlglot
from sqlglot import exp

import kit

# Nearly all of the evening, so that the window cuts something off on both ends.
SINCE = "2026-06-14T17:10:00Z"
UNTIL = "2026-06-14T21:20:00Z"
# Percentiles may be off by this share of the rows and by a row; distinct counts by this share.
RANKS = 0.05
DISTINCT = 0.08
# What makes a query say something over so small an event.
GIVEN = {
    "action-effect": ["at=2026-06-14T18:34:00Z", "minutes=30"],
    "direct-to-origin": ["least=2"],
    "exits-before-start": ["segments=3"],
    "rebuffering-by-network": ["least=1"],
    "shared-sessions": ["addresses=2"],
    "shared-tokens": ["addresses=2"],
    "startup": ["least=1"],
}


def names():
    folder = kit.ROOT / "event-templates" / "queries"
    return sorted(path.stem for path in folder.glob("*.sql"))


def generate(folder, form):
    """The audience's own generator, which cargo builds beside the binary."""
    generator = pathlib.Path(kit.binary()).parent / "examples" / "generate"
    subprocess.run(
        [generator, "--out", folder, "--format", form, "--lines", "12000", "--files", "4", "--seed", "7"],
        check=True,
        capture_output=True,
    )


@pytest.fixture(scope="module")
def desk():
    text = kit.RUNBOOK.read_text()
    # The generator writes all fields of real-time logs.
    wanted = 'fields = ["default", "cmcd"]'
    assert wanted in text
    desk = kit.Desk(text.replace(wanted, 'fields = ["all"]'))
    yield desk
    desk.close()


@pytest.fixture(scope="module")
def logs(desk):
    folders = {}
    for source, form in [("access", "v2"), ("realtime", "realtime")]:
        folders[source] = desk.folder / source
        generate(folders[source], form)
    fields = head(folders["access"])
    write(folders["access"] / "E1CUPFINAL0001.2026-06-14-19.stray.gz", fields, strays(), f"#Fields: {' '.join(fields)}")
    write(folders["realtime"] / "stray.gz", fields_of_realtime(), failovers())
    return folders


def strays():
    """Somebody who goes around the cache: CloudFront's own name, and a query of its own for each segment."""
    for second in range(12):
        yield {
            "date": "2026-06-14",
            "time": f"19:05:{second:02}",
            "x-edge-location": "FRA60-P4",
            "sc-bytes": "900000",
            "c-ip": "198.51.100.200",
            "cs-method": "GET" if second else "POST",
            "cs(Host)": "d1cupfinal0001.cloudfront.net",
            "x-host-header": "d1cupfinal0001.cloudfront.net",
            "cs-uri-stem": "/cup-final/1080p/segment-000001.m4s",
            "cs-uri-query": f"nocache={second}",
            "sc-status": "200",
            "x-edge-result-type": "Miss",
            "x-edge-response-result-type": "Miss",
            "x-edge-detailed-result-type": "Miss",
        }


def failovers():
    for second in range(9):
        yield {
            "timestamp": f"1781463{second}00.250",
            "c-ip": "198.51.100.20",
            "sc-status": "503" if second % 3 == 0 else "200",
            "cs-uri-stem": f"/cup-final/1080p/segment-00000{second}.m4s?CMCD=ot%253Dv",
            "x-edge-response-result-type": "Miss",
            "x-edge-request-id": f"failover-{second}",
            "primary-distribution-id": "E1CUPFINAL0001",
            "r-host": "second.example.com",
            "sr-reason": "Failover:503",
            "x-edge-mqcs": str(60 + second),
            "origin-fbl": f"0.{second}",
        }


def write(path, fields, rows, *first):
    with gzip.open(path, "wt") as file:
        for line in first:
            file.write(line + "\n")
        for row in rows:
            file.write("\t".join(row.get(field, "-") for field in fields) + "\n")


def fields_of_realtime():
    text = (kit.ROOT / "crates" / "logs" / "src" / "fields.rs").read_text()
    text = re.search(r"pub const REALTIME: \[&str; 71\] = \[(.*?)\];", text, re.S).group(1)
    return re.findall('"([^"]+)"', text)


@pytest.fixture(scope="module")
def database(logs):
    database = duckdb.connect()
    database.execute("SET TimeZone = 'UTC'; CREATE SCHEMA cup_final")
    # Trino's NULL where DuckDB has nothing: without a match, and past the last part.
    database.execute(
        "CREATE MACRO trino_extract(t, p, g) AS CASE WHEN regexp_matches(t, p) THEN regexp_extract(t, p, g) END"
    )
    # What is no UTF-8 becomes U+FFFD; DuckDB refuses it.
    database.execute(
        """CREATE MACRO trino_decode(t) AS coalesce(TRY(url_decode(t)),
        url_decode(regexp_replace(t, '%[89A-Fa-f][0-9A-Fa-f]', '%EF%BF%BD', 'g')))"""
    )
    database.execute("CREATE MACRO trino_part(t, d, n) AS string_split(t, d)[n]")
    access(database, logs["access"])
    realtime(database, logs["realtime"])
    return database


def column(field):
    """A log field's column, as the tables of the Glue catalog have it."""
    return re.sub("[^a-z0-9]+", "_", field.lower()).strip("_")


def read(folder, fields):
    """All lines of a folder as texts. Viewers' bytes that are no UTF-8 are escaped in the files."""
    columns = ", ".join(f"'{column(field)}': 'VARCHAR'" for field in fields)
    return (
        f"read_csv('{folder}/*.gz', delim='\\t', header=false, quote='', escape='', comment='#', "
        f"auto_detect=false, columns={{{columns}}}, filename=true)"
    )


def head(folder):
    with gzip.open(sorted(folder.glob("*.gz"))[0], "rt") as lines:
        for line in lines:
            if line.startswith("#Fields:"):
                return line.split()[1:]
    return None


def access(database, folder):
    hours = """
        CAST(substr("date", 1, 4) AS INTEGER) AS year, CAST(substr("date", 6, 2) AS INTEGER) AS month,
        CAST(substr("date", 9, 2) AS INTEGER) AS day, CAST(substr("time", 1, 2) AS INTEGER) AS hour
    """
    database.execute(
        f"""CREATE TABLE cup_final.access AS SELECT * EXCLUDE (filename),
        regexp_extract(filename, '([^/.]+)[^/]*$', 1) AS distributionid, {hours} FROM {read(folder, head(folder))}"""
    )


def realtime(database, folder):
    """Typed as the table for real-time logs is; what is no number is NULL."""
    fields = fields_of_realtime()
    table = (kit.ROOT / "src" / "plan" / "log_table.rs").read_text()
    table = re.search(r"fn realtime_type.*?match field \{(.*?)_ => ", table, re.S).group(1)
    kinds = {}
    for group, kind in re.findall(r'((?:"[\w-]+"\s*\|?\s*)+)=> "(\w+)"', re.sub("//.*", "", table)):
        kinds.update({field: kind for field in re.findall('"([^"]+)"', group)})
    assert kinds["timestamp"] == "double" and kinds["asn"] == "bigint"
    typed = ", ".join(
        f'TRY_CAST("{column(field)}" AS {kinds[field]}) AS "{column(field)}"' if field in kinds else f'"{column(field)}"'
        for field in fields
    )
    database.execute(
        f"""CREATE TABLE cup_final.realtime AS SELECT *, CAST(year(t) AS INTEGER) AS year, CAST(month(t) AS INTEGER) AS month,
        CAST(day(t) AS INTEGER) AS day, CAST(hour(t) AS INTEGER) AS hour FROM (SELECT {typed},
        make_timestamp(CAST(TRY_CAST("timestamp" AS DOUBLE) * 1e6 AS BIGINT)) AS t FROM {read(folder, fields)})"""
    )


def translated(text, high):
    """The text in DuckDB's dialect; approximate functions as exact bounds."""

    def rewrite(node):
        if isinstance(node, exp.RegexpExtract):
            group = node.args.get("group") or exp.Literal.number(0)
            return exp.func("trino_extract", node.this, node.expression, group)
        if isinstance(node, exp.SplitPart):
            return exp.func("trino_part", node.this, node.args["delimiter"], node.args["part_index"])
        if isinstance(node, exp.RegexpReplace):
            with_ = exp.Literal.string(node.args["replacement"].name.replace("$", "\\"))
            return exp.Anonymous(
                this="regexp_replace", expressions=[node.this, node.expression, with_, exp.Literal.string("g")]
            )
        if isinstance(node, exp.Anonymous):
            return exp.func("trino_decode", *node.expressions) if node.name.lower() == "url_decode" else node
        if isinstance(node, exp.CountIf):
            # DuckDB's own is NULL where nothing but NULL was asked about, Trino's is 0.
            return duck(f"count(CASE WHEN {node.this.sql(dialect='duckdb')} THEN 1 END)")
        if isinstance(node, exp.DateDiff):
            # DuckDB's own counts the boundaries between, Trino the whole units.
            unit = exp.Literal.string(node.args["unit"].name.lower())
            return exp.Anonymous(this="date_sub", expressions=[unit, node.expression, node.this])
        if isinstance(node, exp.ApproxDistinct):
            return bounds_of_distinct(node, high)
        if isinstance(node, exp.ApproxQuantile):
            return bounds_of_percentile(node, high)
        raise AssertionError(node)

    kinds = (exp.RegexpExtract, exp.SplitPart, exp.RegexpReplace, exp.CountIf, exp.DateDiff, exp.Anonymous, exp.ApproxDistinct, exp.ApproxQuantile)
    tree = sqlglot.parse_one(text, read="trino")
    # From the inside out: what is rewritten holds what has been.
    for node in reversed(list(tree.find_all(*kinds))):
        changed = rewrite(node)
        if changed is not node:
            node.replace(changed)
    return tree.sql(dialect="duckdb")


def bounds_of_distinct(node, high):
    value = node.this.sql(dialect="duckdb")
    factor, beyond = (1 + DISTINCT, 1) if high else (1 - DISTINCT, -1)
    return duck(f"CAST(round(count(DISTINCT {value}) * {factor}) + {beyond} AS BIGINT)")


def bounds_of_percentile(node, high):
    value = node.this.sql(dialect="duckdb")
    share = float(node.args["quantile"].name)
    rank = f"count({value})"
    if high:
        place = f"least({rank}, CAST(ceil({share + RANKS} * {rank}) + 1 AS BIGINT))"
    else:
        place = f"greatest(1, CAST(floor({share - RANKS} * {rank}) - 1 AS BIGINT))"
    return duck(f"list_sort(list({value}) FILTER (WHERE {value} IS NOT NULL))[{place}]")


def duck(text):
    return sqlglot.parse_one(text, read="duckdb")


def plain(value):
    """As JSON has it."""
    if isinstance(value, datetime.datetime):
        text = value.isoformat(timespec="milliseconds").removesuffix(".000")
        return text + "Z"
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def is_within(low, value, high):
    if value is None or low is None or high is None:
        return value is None and low is None and high is None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        # What rounding can do; counts are whole and so exact.
        slack = 0.0101 + 1e-6 * abs(value) if isinstance(value, float) else 0
        return low - slack <= value <= high + slack
    return low == value == high


def rows_of(database, text, high):
    found = database.execute(translated(text, high))
    columns = [one[0] for one in found.description]
    return columns, [[plain(value) for value in row] for row in found.fetchall()]


def source_of(name):
    text = (kit.ROOT / "event-templates" / "queries" / f"{name}.sql").read_text()
    return "realtime" if re.search("^-- needs:.*realtime", text, re.M) else "access"


def given(name, sid):
    values = list(GIVEN.get(name, []))
    if name == "viewer-journey":
        values.append(f"sid={sid}")
    return [word for value in values for word in ("-p", value)]


@pytest.fixture(scope="module")
def sid(database):
    """Somebody who watched."""
    query = "SELECT trino_extract(url_decode(url_decode(cs_uri_query)), 'sid=\"([^\"]+)\"', 1) AS sid FROM cup_final.access GROUP BY 1 ORDER BY count(*) FILTER (sid IS NOT NULL) DESC, 1 LIMIT 1"
    return database.execute(query).fetchone()[0]


@pytest.mark.parametrize("name", names())
def test_the_text_is_trinos(name):
    text = (kit.ROOT / "event-templates" / "queries" / f"{name}.sql").read_text()
    assert isinstance(sqlglot.parse_one(text, read="trino"), exp.Query)


def compared(desk, logs, database, name, source, more, since=SINCE, until=UNTIL):
    window = ["-e", "cup-final", "--since", since, "--until", until]
    shown = desk.onair("query", "show", name, "--engine", "athena", "--bound", "--source", source, *window, *more)
    text = shown.expect(0).json()["data"]["text"]
    ran = desk.onair(
        "query", "run", name, "--local", logs[source], "--source", source, "-o", "json", *window, *more
    )
    ours = ran.expect(0).json()["data"]
    columns, low = rows_of(database, text, False)
    high = rows_of(database, text, True)[1] if "approx_" in text else low
    assert [column["name"] for column in ours["columns"]] == columns
    rows = [list(row.values()) for row in ours["rows"]]
    assert len(rows) == len(low), f"{len(rows)} rows instead of {len(low)}"
    for place, (row, least, most) in enumerate(zip(rows, low, high)):
        for column_name, value, under, over in zip(columns, row, least, most):
            assert is_within(under, value, over), (
                f"row {place}, {column_name}: {value!r} is not from {under!r} to {over!r}\n{row}\n{least}\n{most}"
            )
    return rows


@pytest.mark.parametrize("name", names())
def test_the_rows_are_the_same(desk, logs, database, sid, name):
    rows = compared(desk, logs, database, name, source_of(name), given(name, sid))
    assert rows, "the event has nothing for this query"


@pytest.mark.parametrize("name", names())
def test_real_time_logs_answer_too(desk, logs, database, sid, name):
    compared(desk, logs, database, name, "realtime", given(name, sid))


@pytest.mark.parametrize("source", ["access", "realtime"])
def test_every_column_is_the_same(desk, logs, database, source):
    """The view against the readers, column by column, row by row."""
    nothing = desk.onair("query", "run", "--sql", "SELECT * FROM requests LIMIT 0", "--local", logs[source]).expect(0)
    columns = [column["name"] for column in nothing.json()["data"]["columns"]]
    assert len(columns) > 80
    for start in range(0, len(columns), 12):
        some = columns[start : start + 12]
        listed = ", ".join(["x_edge_request_id AS id", *some])
        path = desk.folder / "columns.sql"
        path.write_text(f"SELECT {listed} FROM requests ORDER BY x_edge_request_id, at, c_ip, cs_uri_stem")
        # Kickoff's rush, and what is written above.
        compared(desk, logs, database, f"@{path}", source, [], "2026-06-14T18:29:00Z", "2026-06-14T19:06:00Z")
