"""`capacity`: the answer as the docs have it, and what is wrong with arguments, prices and figures."""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.cli.capacity import add_arguments
from airflow_provider_etl.cli.main import main
from benchmarks.capacity import picture

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/capacity.md"
BLOCK = re.compile(r"^```\n\$ (airflow-etl capacity [^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LOAD = ("--records-per-hour", "100M", "--record-bytes", "1KB")
PRICES = (ROOT / "config/prices.yaml").read_text()


def out(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["capacity", *arguments])
    told = capsys.readouterr()
    return code, told.out, told.err


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    code, told, why = out(capsys, *arguments, "--json")
    assert code == 0, why
    found: dict[str, Any] = json.loads(told)
    return found


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no price table is."""
    monkeypatch.chdir(tmp_path)


def test_the_docs_show_what_it_says(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """After a change of figures or words: ETL_WRITE_GOLDEN=1 pytest tests/cli/test_capacity.py, then read the page."""
    monkeypatch.chdir(ROOT)

    def said(block: re.Match[str]) -> str:
        code, told, _ = out(capsys, *shlex.split(block[1])[2:])
        assert code == 0
        return f"```\n$ {block[1]}\n{told}```"

    text = PAGE.read_text(encoding="utf-8")
    now, blocks = BLOCK.subn(said, text)
    assert blocks >= 2
    if os.environ.get("ETL_WRITE_GOLDEN"):
        PAGE.write_text(now, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == now


def test_the_docs_name_every_option() -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    text = PAGE.read_text(encoding="utf-8")
    assert [
        name
        for action in parser._actions
        for name in action.option_strings[1:] or action.option_strings
        if name != "--help" and f"`{name}" not in text
    ] == []


def test_the_docs_picture_is_of_these_figures() -> None:
    """After a change of figures: ETL_WRITE_GOLDEN=1, as above."""
    file = ROOT / "docs/images/capacity.svg"
    if os.environ.get("ETL_WRITE_GOLDEN"):
        file.write_text(picture(), encoding="utf-8")
    assert file.read_text(encoding="utf-8") == picture()


def test_the_load_may_be_given_in_three_ways(capsys: pytest.CaptureFixture[str]) -> None:
    ways = (
        LOAD,
        ("--records-per-hour", "100M", "--bytes-per-day", "2.4TB"),
        ("--record-bytes", "1000", "--bytes-per-day", "2.4TB"),
    )
    found = [answer(capsys, *way)["sizing"] for way in ways]
    assert found[0] == pytest.approx(found[1])
    assert found[0] == pytest.approx(found[2])


def test_json_holds_what_the_words_are_made_of(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, told, _ = out(capsys, *LOAD, "--machines", "10", "--json", str(tmp_path / "told.json"))
    assert code == 0
    assert told.startswith("the load\n")
    found = json.loads((tmp_path / "told.json").read_text())
    assert set(found) == {
        "capacity_version", "ask", "sizing", "cost", "prices", "machines", "effects", "runs", "figures"
    }  # fmt: skip
    assert found["cost"] is None
    assert "no price table: --prices FILE, or config/prices.yaml" in told
    assert found["machines"]["machines"] == 10
    assert f"carry {found['machines']['carried']:,.0f} records an hour" in told


def test_every_figure_is_told_with_how_it_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    told, figures = out(capsys, *LOAD)[1], answer(capsys, *LOAD)["figures"]
    rests = told.partition("what it rests on")[2]
    for name, figure in figures.items():
        (line,) = [line for line in rests.splitlines() if line.startswith(f"  {name} ")]
        assert line.endswith(f"[{figure['basis']}, {figure['run']}]" if figure["run"] else f"[{figure['basis']}]")
    assert re.search(r"Kafka +if records come by it \(assumed\)", told)


def test_prices_of_the_project_are_taken_and_those_that_are_named_win(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/prices.yaml").write_text(PRICES)
    (tmp_path / "ours.yaml").write_text(PRICES.replace("machine_hour: 0.80", "machine_hour: 1.60"))
    first, second = answer(capsys, *LOAD), answer(capsys, *LOAD, "--prices", "ours.yaml")
    assert second["cost"]["machines"] == pytest.approx(2 * first["cost"]["machines"])
    assert (first["ask"]["machine_cores"], first["ask"]["machine_memory"]) == (16, 64 * 2**30)
    assert "of 2026-11-23, assumed, nobody's offer" in out(capsys, *LOAD)[1]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("machine_hour: 0.80", "machine_hour: cheap", r"p.yaml:5:15: machine_hour: 'cheap'; expected a number"),
        ("machine_hour: 0.80", "machine_hour: -1", r"machine_hour: -1; expected at least 0"),
        ("machine_hour: 0.80", "machine_hour: nan", r"machine_hour: nan; expected at least 0"),
        ("machine_hour:", "machine_hours:", r"unknown key 'machine_hours'.*did you mean 'machine_hour'"),
        ("machine_memory: 64GiB\n", "", r"p.yaml: no machine_memory; expected currency, as_of"),
        ("64GiB", "64 heaps", r"p.yaml:7:17: machine_memory: '64 heaps'; expected bytes such as"),
        ("as_of: 2026-11-23", 'as_of: ""', r"as_of: nothing; expected who says so, and when"),
    ],
)  # fmt: skip
def test_a_wrong_price_table_is_told_with_its_place(
    capsys: pytest.CaptureFixture[str], old: str, new: str, told: str
) -> None:
    assert old in PRICES
    Path("p.yaml").write_text(PRICES.replace(old, new))
    code, said, why = out(capsys, *LOAD, "--prices", "p.yaml")
    assert (code, said) == (2, "")
    assert re.search(told, why)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "the load: nothing; expected two of --records-per-hour, --record-bytes and --bytes-per-day"),
        (("--records-per-hour", "1M"), "the load: --records-per-hour; expected two of"),
        ((*LOAD, "--bytes-per-day", "1TB"), "--records-per-hour, --record-bytes, --bytes-per-day; expected two of"),
        (("--records-per-hour", "100M", "--bytes-per-day", "1MB"), "bytes of a record: 0.000417; expected at least 1"),
        (
            ("--records-per-hour", "lots", "--record-bytes", "1"),
            "--records-per-hour: 'lots'; expected a number such as",
        ),
        (("--records-per-hour", "0", "--record-bytes", "1"), "--records-per-hour: 0; expected at least 1"),
        (
            ("--records-per-hour", "1M", "--record-bytes", "2 TB"),
            "--record-bytes: 2,000,000,000,000; expected .*at most",
        ),
        ((*LOAD, "--sources", "0"), "--sources: 0; expected at least 1"),
        ((*LOAD, "--sources", "1.5"), "--sources: '1.5'; expected a whole number"),
        ((*LOAD, "--window", "often"), "--window: 'often'; expected a duration such as"),
        ((*LOAD, "--peak", "0.5"), "--peak: 0.5; expected at least 1"),
        ((*LOAD, "--utilisation", "60"), "--utilisation: 60; expected at least 0.05 and at most 1"),
        ((*LOAD, "--utilisation", "0%"), "--utilisation: 0; expected at least 0.05"),
        ((*LOAD, "--retention", "1h"), "--retention: 3,600; expected at least 86,400"),
        ((*LOAD, "--growth", "more"), "--growth: 'more'; expected a share"),
        ((*LOAD, "--years", "99"), "--years: 99; expected at least 0 and at most 20"),
        ((*LOAD, "--executor-cores", "2.5"), "--executor-cores: '2.5'; expected a whole number"),
        ((*LOAD, "--executor-cores", "32"), "--executor-cores: an executor of 32 cores .* doesn't fit on a machine"),
        ((*LOAD, "--machine-cores", "2"), "doesn't fit on a machine, of which Spark gets 1 cores"),
        ((*LOAD, "--machine-memory", "1 MB"), "--machine-memory: 1,000,000; expected at least"),
        ((*LOAD, "--spare", "-1"), "--spare: '-1'; expected a number"),
        ((*LOAD, "--machines", "0"), "--machines: 0; expected at least 1"),
        ((*LOAD, "--prices", "none.yaml"), "none.yaml"),
        ((*LOAD, "--figures", "none.yaml"), "none.yaml"),
        ((*LOAD, "--from", "none"), "none: No such file"),
    ],
)
def test_a_bad_argument_ends_with_2_and_says_what_it_takes(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str
) -> None:
    given = [f"{a}={b}" for a, b in zip(arguments[::2], arguments[1::2], strict=True)]
    code, said, why = out(capsys, *given)
    assert (code, said) == (2, "")
    assert re.fullmatch(f"airflow-etl capacity: .*{told}.*\n", why), why


def test_own_figures_and_reports_are_told_as_such(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("figures: {start_cpu: {value: 1, basis: assumed, why: a warm Spark}}\n")
    found = answer(capsys, *LOAD, "--sources", "500", "--figures", "mine.yaml")
    assert found["sizing"]["starts"] == pytest.approx(500 / 3600)
    told = out(capsys, *LOAD, "--figures", "mine.yaml")[1]
    assert "a warm Spark" in told
    assert "measure a window on yours" in told, "cpu is still ours"
    own = "runs: {r: {what: x, record_bytes: 500}}\nfigures: {cpu: {value: 9, basis: measured, run: r}}\n"
    (tmp_path / "mine.yaml").write_text(own)
    assert "measure a window on yours" not in out(capsys, *LOAD, "--figures", "mine.yaml")[1]


def test_many_windows_cost_their_starts(capsys: pytest.CaptureFixture[str]) -> None:
    hourly, quarterly = (answer(capsys, *LOAD, "--sources", "500", "--window", window) for window in ("1h", "15m"))
    assert quarterly["sizing"]["starts"] == pytest.approx(4 * hourly["sizing"]["starts"])
    assert quarterly["sizing"]["work"] == hourly["sizing"]["work"]
