"""Log files: each line is a row, or set aside with a reason."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from spark_jobs.errors import ConfigError
from tests.spark_jobs.extract.drops import Drops

pytestmark = pytest.mark.spark

COMBINED = [
    '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 2326 "http://x/\\"q\\"" "Mozilla (X; é)"',
    '::1 - - [01/Jan/2013:00:00:00 +0000] "-" 408 - "-" "-"',
    "\x16\x03\x01 no request at all",
    '1.2.3.4 - - [99/Foo/2013:00:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "x"',
]
COLUMNS: dict[str, Any] = {"host": "string", "time": "timestamp", "status": "int", "bytes": "bigint"}


def test_the_lines_of_web_servers_are_typed_and_a_dash_is_null(drops: Drops) -> None:
    drops.put("access.log", "\n".join([*COMBINED, ""]))
    read = drops.read(format="logs", pattern="combined", columns=COLUMNS)
    assert read.columns == ["host", "time", "status", "bytes", "identity", "user", "request", "referer", "user_agent"]
    first = datetime(2000, 10, 10, 20, 55, 36)  # noqa: DTZ001
    second = datetime(2013, 1, 1)  # noqa: DTZ001
    assert read.rows == [
        ("127.0.0.1", first, 200, 2326, None, "frank", "GET /a.gif HTTP/1.0", 'http://x/\\"q\\"', "Mozilla (X; é)"),
        ("::1", second, 408, None, None, None, None, None, None),
    ]
    assert [row["rules"] for row in read.refused] == [["pattern"], ["type time"]]
    assert read.raw == COMBINED[2:]
    assert [row["source_line"] for row in read.refused] == [3, 4]


def test_logfmt_gives_the_keys_of_the_lines(drops: Drops) -> None:
    good = ['level=info msg="say \\"hi\\" \\u00e9" took=1.5', "level=warn took= z=a:b/c"]
    bad = ["just words", "level=info level=warn", 'msg="open', 'msg="bad \\q escape"', "=x"]
    drops.put("app.log", "\n".join([*good, *bad, "", ""]))
    read = drops.read(format="logs", pattern="logfmt", columns={"level": "string", "took": "double"})
    assert read.columns == ["level", "took", "msg", "z"]
    assert read.rows == [("info", 1.5, 'say "hi" é', None), ("warn", None, None, "a:b/c")]
    assert (read.raw, set(read.rules)) == (bad, {"logfmt"})


def test_json_logs_are_json_lines(drops: Drops) -> None:
    drops.put("app.log", '{"level":"info","ctx":{"id":1}}\nTraceback\n')
    columns = {"level": "string", "ctx": "struct<id:int>"}
    read = drops.read(format="logs", pattern="json", columns=columns)
    assert (read.rows, read.raw) == ([("info", (1,))], ["Traceback"])


def test_the_groups_of_an_expression_are_the_columns(drops: Drops) -> None:
    pattern = r"(?<log_level>[A-Z]+) +\[(?<thread>[^\]]*)\](?: (?<code>\d+))? (?<message>.*)"
    drops.put("app.log", "INFO [main] 7 started $1 \\2\nWARN  [a b] slow\nnonsense\nINFO [x\x1fy] z\n" + "E" * 70_000)
    read = drops.read(format="logs", pattern=pattern, columns={"code": "int"})
    assert read.columns == ["code", "log_level", "thread", "message"]
    assert read.rows == [(7, "INFO", "main", "started $1 \\2"), (None, "WARN", "a b", "slow")]
    assert [row["rules"] for row in read.refused] == [["pattern"], ["pattern"], ["too_long"]]


def test_a_window_is_cut_by_a_column_of_the_logs(drops: Drops) -> None:
    times = ["31/Dec/2012:23:59:59 +0000", "01/Jan/2013:00:30:00 +0100", "01/Jan/2013:23:59:59 +0000"]
    drops.put("a.log", "".join(f'h - - [{time}] "-" 200 1\n' for time in times))
    read = drops.read(format="logs", pattern="common", columns=COLUMNS, window={"column": "time"})
    assert (len(read.rows), read.counts.filtered) == (1, 2)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(?<a>", "no regular expression"),
        ("abc", "no named group"),
        (r"(?<a>(x+)+)", "it may take forever"),
        (r"(?<a>(x|xy)*)", "it may take forever"),
        (r"(?<a>.)\1", "refers to an earlier group"),
        (r"(?<a>.*),.*,.*,.*", "more than 3 times"),
    ],
)
def test_an_expression_that_may_take_forever_is_refused(drops: Drops, pattern: str, message: str) -> None:
    drops.put("a.log", "x\n")
    with pytest.raises(ConfigError, match=message):
        drops.read(format="logs", pattern=pattern)
