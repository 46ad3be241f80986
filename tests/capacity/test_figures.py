"""Each figure says how it is known; a file of one's own replaces what it names, and is told where it is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from airflow_provider_etl.capacity.figures import ours, replaced
from airflow_provider_etl.capacity.sizing import cpu_of_million
from spark_jobs.errors import ConfigError

OWN = """\
runs:
  night: {what: our night, machine: ours, date: 2026-11-01, commit: abc, records: 5000000, record_bytes: 400}
figures:
  cpu: {value: 20, basis: measured, run: night}
  kafka_copies: {value: 2, basis: assumed, why: two are ours}
"""


def test_ours_have_a_run_or_say_that_they_are_assumed() -> None:
    found = ours()
    assert {figure.basis for figure in found.known.values()} <= {"measured", "derived", "assumed"}
    for name, figure in found.known.items():
        assert figure.why, name
        if figure.basis != "assumed":
            run = found.run_of(name)
            assert "not told" not in (run.machine, run.date, run.commit, run.versions), name
            assert re.fullmatch(r"\d{4}-\d\d-\d\d", run.date)
            assert re.fullmatch(r"[0-9a-f]{7}", run.commit)
    kafka = [figure.basis for name, figure in found.known.items() if name.startswith("kafka")]
    assert kafka == ["assumed"] * len(kafka), "nothing of Kafka was measured"
    assert {figure.run for figure in found.known.values()} - {""} == set(found.runs), "no run that nobody names"


def test_a_file_replaces_what_it_names(tmp_path: Path) -> None:
    (tmp_path / "figures.yaml").write_text(OWN)
    found = replaced(ours(), str(tmp_path / "figures.yaml"))
    assert (found.value("cpu"), found.run_of("cpu").record_bytes) == (20.0, 400.0)
    assert found.known["cpu"].unit == ours().known["cpu"].unit
    assert (found.value("kafka_copies"), found.value("memory")) == (2.0, ours().value("memory"))


@pytest.mark.parametrize(
    ("old", "new"), [("basis: measured, run: night", "basis: assumed"), (", record_bytes: 400", "")]
)
def test_cpu_without_the_size_of_its_records_means_nothing(tmp_path: Path, old: str, new: str) -> None:
    assert old in OWN
    (tmp_path / "figures.yaml").write_text(OWN.replace(old, new))
    found = replaced(ours(), str(tmp_path / "figures.yaml"))
    with pytest.raises(ConfigError, match=r"figures\.cpu: nothing says how large the records were; name its run"):
        cpu_of_million(found, 1000)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("cpu: {", "cpus: {", r"figures\.yaml:4:3: figures\.cpus: unknown key 'cpus'.*did you mean 'cpu'"),
        ("value: 20", "value: much", r"figures\.yaml:4:16: figures\.cpu\.value: 'much'; expected a number above 0"),
        ("value: 20", "value: 0", "expected a number above 0"),
        ("value: 20", "value: nan", "expected a number above 0"),
        ("value: 20", "value: [20]", "expected one value"),
        ("value: 20, ", "", "figures.cpu: no value"),
        ("basis: measured", "basis: guessed", "basis 'guessed'; expected measured or derived or assumed"),
        ("basis: measured, run: night", "basis: measured", "run ''; expected one of .*night"),
        ("run: night", "run: day", "run 'day'; expected one of .*night"),
        ("basis: assumed", "basis: assumed, run: night", "and none where it is assumed"),
        ("basis: measured", "basis: measured, unit: hours", "unit 'hours'; expected CPU s per million"),
        ("what: our night, ", "", "runs.night: no `what`"),
        ("runs:", "run:", "unknown key 'run'.*did you mean 'runs'"),
        ("cpu: {value: 20, basis: measured, run: night}", "cpu: 20", "figures.cpu: text; expected a mapping"),
        (OWN, "", "is empty|expected a mapping"),
        (OWN, "a: [", "figures.yaml:"),
    ],
)
def test_a_wrong_file_is_told_with_its_place(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in OWN
    (tmp_path / "figures.yaml").write_text(OWN.replace(old, new))
    with pytest.raises(ConfigError, match=told):
        replaced(ours(), str(tmp_path / "figures.yaml"))
