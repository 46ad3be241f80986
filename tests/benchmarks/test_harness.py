"""The harness: who did other work gets no time, a process tree is measured whole, and the page holds all it shows."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks import __main__ as command
from benchmarks.harness import sections
from benchmarks.harness.model import Benchmark, Case, Command, Contender, Figure, Goal, Options
from benchmarks.harness.rows import Rows, of_batches, of_parquet
from benchmarks.harness.running import measured

_KINDS = {"id": "bigint", "name": "string", "score": "double", "at": "timestamp"}
_WRITE = """
import sys, time, pyarrow as pa, pyarrow.parquet as pq
rows = [{"id": n, "name": f"n{n}" if n else None, "score": n / 4, "at": n} for n in range(40)]
if "--wrong" in sys.argv: rows[3]["name"] = "other"
if "--turned" in sys.argv: rows.reverse()
table = pa.Table.from_pylist(rows).cast(pa.schema({"id": "int64", "name": "string", "score": "double",
    "at": pa.timestamp("us")}))
pq.write_table(table, sys.argv[1])
"""
_FAMILY = """
import subprocess, sys, time
busy = "import time\\nwhile time.process_time() < 0.5: pass\\n"
held = busy + "x = bytearray(64 * 2**20); print('held', flush=True); time.sleep(600)"
subprocess.run([sys.executable, "-c", busy])
process = subprocess.Popen([sys.executable, "-c", held], stdout=subprocess.PIPE, start_new_session=True)
process.stdout.readline()
time.sleep(3)
"""


def contender(name: str, *flags: str) -> Contender:
    """It writes forty rows."""

    def made(folder: Path) -> Command:
        return Command(argv=[sys.executable, "-c", _WRITE, str(folder / "rows.parquet"), *flags])

    def rows(folder: Path) -> Rows:
        return of_parquet([str(folder / "rows.parquet")], _KINDS)

    return Contender(name=name, about=f"<{name}>", command=made, rows=rows)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command with one benchmark of these contenders; its exit code."""

    def ran(*contenders: Contender) -> int:
        @contextmanager
        def opened(options: Options) -> Iterator[Benchmark]:
            figures = [Figure(case="rows", contender=each.name, name="cpu") for each in contenders[:2]]
            goal = {"figure": figures[1], "beside": figures[0]}
            yield Benchmark(
                name="pipeline",
                title="Rows",
                about="Forty of them.",
                cases=[Case(name="rows", about="forty", count=40, base=contenders[0].name, contenders=contenders)],
                goals=[
                    Goal(says="not dear", bound="at most", value=1000.0, **goal),
                    Goal(says="no miracle", bound="at most", value=0.0001, **goal),
                ],
                curve=("cpu",),
            )

        monkeypatch.setattr(command, "opened", lambda _: opened)
        return command.main(["pipeline", "--rounds", "2", "--out", str(tmp_path), "--data", str(tmp_path)])

    return ran


def test_equal_rows_are_timed_told_and_drawn(run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(contender("one"), contender("other", "--turned")) == 0
    said = capsys.readouterr().out
    assert said.index("warming up") < said.index("round 1 of 2") < said.index("round 2 of 2")
    assert [line.split()[0] for line in said.splitlines() if line.endswith("s of CPU")] == ["one", "other"] * 3
    assert "40 rows each, equal" in said
    told = json.loads((tmp_path / "pipeline.json").read_text())
    turns = told["cases"][0]["turns"]
    assert all(len(each) == 2 and all(turn[key] > 0 for turn in each for key in turn) for each in turns.values())
    assert [goal["met"] for goal in told["goals"]] == [True, False]
    page = (tmp_path / "index.html").read_text()
    assert page.count("<svg") == 4  # three figures, one curve
    assert "MISSED by" in page
    assert "&lt;one&gt;" in page
    assert not re.search(r"<script|<link|\bsrc=|https?://(?!www\.w3\.org/2000/svg)", page)


def test_the_page_holds_what_was_taken_at_another_time(run: Any, tmp_path: Path) -> None:
    machine = {"cpu": "another", "cores": 1, "memory_gib": 2.0, "kernel": "Linux"}
    facts = {"taken": "2026-01-01", "machine": machine, "versions": {"this package": "abc"}, "rounds": 3, "tiny": True}
    sections.keep(tmp_path, "load", facts, "<h2>Loads</h2>")
    sections.keep(tmp_path, "gone", facts, "<h2>Gone</h2>")
    for _ in range(2):
        assert run(contender("one"), contender("other")) == 0
    page = (tmp_path / "index.html").read_text()
    assert page.count("<h2>Loads</h2>") == page.count('<h2 id="pipeline">Rows</h2>') == 1
    assert "another, 1 cores, 2 GiB, Linux; abc; taken 2026-01-01; 3 rounds" in page
    assert page.count("its times say nothing") == 1
    assert "Gone" not in page


def test_other_rows_get_no_time(run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(contender("one"), contender("wrong", "--wrong")) == 1
    out = capsys.readouterr()
    assert "rows: the rows differ, so no time is told. one and wrong: 40 rows each, other values in name" in out.err
    assert "ratios to" not in out.out
    assert not (tmp_path / "pipeline.json").exists()


def test_a_contender_that_fails_says_why(run: Any) -> None:
    broken = Contender(
        name="broken",
        about="",
        command=lambda _: Command(argv=[sys.executable, "-c", "import sys; sys.exit('no luck')"]),
        rows=lambda _: Rows(count=0, digest=0, columns={}),
    )
    with pytest.raises(SystemExit, match=r"broken ended with 1:\nno luck"):
        run(contender("one"), broken)


def test_the_whole_tree_is_measured_and_ended(tmp_path: Path) -> None:
    """Its children are busy for 0.5 s each; one leaves its session, holds 64 MiB and would stay for ten minutes."""
    family = Contender(
        name="family",
        about="",
        command=lambda _: Command(argv=[sys.executable, "-c", _FAMILY]),
        rows=lambda _: Rows(count=0, digest=0, columns={}),
    )
    cost = measured(family, tmp_path)
    assert cost["cpu"] >= 1.0
    assert cost["memory"] >= 64
    assert 3 <= cost["wall"] < 500


def test_a_row_s_hash_knows_neither_batch_nor_width_nor_zone() -> None:
    import pyarrow as pa

    def batch(ids: list[int | None], kind: str, zone: str | None) -> pa.RecordBatch:
        values = {"id": pa.array(ids, kind), "at": pa.array([1, None, 3][: len(ids)], pa.timestamp("us", zone))}
        return pa.RecordBatch.from_pydict(values)

    kinds = {"id": "int", "at": "timestamp"}
    whole = of_batches([batch([1, None, 3], "int64", "UTC")], kinds)
    assert whole == of_batches([batch([1, None, 3], "int32", None)], kinds)
    parts = [batch([1, None, 3], "int64", None).slice(at, 1) for at in (2, 0, 1)]
    assert whole == of_batches(parts, kinds)
    swapped = of_batches([batch([None, 1, 3], "int64", None)], kinds)
    assert swapped.differs(whole) == "3 rows each, other values in rows, though each column has the same"
