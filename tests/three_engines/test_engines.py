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

SINCE = "2026-06-14T18:30:00Z"
UNTIL = "2026-06-14T18:38:00Z"
# Percentiles may be off by this share of the rows and by a row; distinct counts by this share.
RANKS = 0.05
DISTINCT = 0.08
# What makes a query say something over so small an event.
GIVEN = {
    "action-effect": ["at=2026-06-14T18:34:00Z", "minutes=3"],
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
        [generator, "--out", folder, "--format", form, "--minutes", "9", "--viewers", "16", "--files", "3", "--seed", "7"],
        check=True,
        capture_output=True,
    )


@pytest.fixture(scope="module")
def desk():
    desk = kit.Desk()
    yield desk
    desk.close()


@pytest.fixture(scope="module")
def logs(desk):
    folders = {}
    for source, form in [("access", "v2"), ("realtime", "realtime")]:
        folders[source] = desk.folder / source
        generate(folders[source], form)
    return folders


@pytest.fixture(scope="module")
def database(logs):
    database = duckdb.connect()
    database.execute("SET TimeZone = 'UTC'; CREATE SCHEMA cup_final")
    # Trino's NULL where DuckDB has nothing: without a match, and past the last part.
    database.execute(
        "CREATE MACRO trino_extract(t, p, g) AS CASE WHEN regexp_matches(t, p) THEN regexp_extract(t, p, g) END"
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
    fields = (kit.ROOT / "crates" / "logs" / "src" / "fields.rs").read_text()
    fields = re.search(r"pub const REALTIME: \[&str; 71\] = \[(.*?)\];", fields, re.S).group(1)
    fields = re.findall('"([^"]+)"', fields)
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
        if isinstance(node, exp.ApproxDistinct):
            return bounds_of_distinct(node, high)
        if isinstance(node, exp.ApproxQuantile):
            return bounds_of_percentile(node, high)
        raise AssertionError(node)

    kinds = (exp.RegexpExtract, exp.SplitPart, exp.RegexpReplace, exp.ApproxDistinct, exp.ApproxQuantile)
    tree = sqlglot.parse_one(text, read="trino")
    # From the inside out: what is rewritten holds what has been.
    for node in reversed(list(tree.find_all(*kinds))):
        node.replace(rewrite(node))
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


def compared(desk, logs, database, name, source, more):
    window = ["-e", "cup-final", "--since", SINCE, "--until", UNTIL]
    shown = desk.onair("query", "show", name, "--engine", "athena", "--bound", "--source", source, *window, *more)
    text = shown.expect(0).json()["data"]["text"]
    ran = desk.onair(
        "query", "run", name, "--local", logs[source], "--source", source, "-o", "json", *window, *more
    )
    ours = ran.expect(0).json()["data"]
    columns, low = rows_of(database, text, False)
    _, high = rows_of(database, text, True)
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
    columns = re.findall(
        r'(?:field|cmcd|derived)\(\s*"(\w+)",', (kit.ROOT / "crates" / "logs" / "src" / "schema.rs").read_text()
    )
    for start in range(0, len(columns), 12):
        some = columns[start : start + 12]
        listed = ", ".join(["x_edge_request_id AS id", *some])
        path = desk.folder / "columns.sql"
        path.write_text(f"SELECT {listed} FROM requests ORDER BY x_edge_request_id, at, c_ip, cs_uri_stem")
        compared(desk, logs, database, f"@{path}", source, [])
