"""`advise FILE` shows what the last windows needed, by what runs have kept, and says what to change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.cli.main import main
from spark_jobs.usage import Usage
from spark_jobs.usage_kept import Kept, Local
from tests.spec.conftest import ENVIRONMENT, PIPELINE, Project

GIB = 1 << 30


def keep(project: Project, name: str, days: int, **figures: Any) -> None:
    kept = Kept(folder=str(project.folder / "data/quarantine"), pipeline="orders", storage=Local())
    usage = {"seconds": 20.0, "cores": 2, "heap_peak": GIB // 3, "heap_max": 2 * GIB} | figures
    for day in range(1, days + 1):
        window = {"start": f"2013-01-{day:02}T00:00:00Z", "end": f"2013-01-{day + 1:02}T00:00:00Z"}
        kept.add(name, {"window": window, **Usage(**usage).to_json()})


def test_it_tells_figures_and_advice(project: Project, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = project.write(PIPELINE.replace("start: 2013", "resources: {size: large}\nstart: 2013"))
    assert main(["advise", str(path)]) == 0
    assert capsys.readouterr().out.startswith("nothing is known yet")
    keep(project, "run", 2)
    assert main(["advise", str(path)]) == 0
    assert "3 windows of one size are wanted" in capsys.readouterr().out
    keep(project, "run", 12, bytes_read=3 * GIB)
    assert main(["advise", str(path), "--json", str(tmp_path / "told.json")]) == 0
    said = capsys.readouterr().out
    assert (
        "the driver used 17 % of its memory at most in the last 14 windows (341.3m of 2g): driver_memory: 1g would do"
        in said
    )
    assert "the last 10 windows moved 3g at most, and the size is large: size: small" in said
    assert "2013-01-12T00:00:00Z/2013-01-13T00:00:00Z" in said
    assert "2013-01-02T" not in said, "ten are shown"
    assert len(json.loads((tmp_path / "told.json").read_text())["run"]["advice"]) == 2


def test_all_is_well_and_what_spark_alone_can_read(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    path = project.write(PIPELINE)
    keep(project, "load", 4, heap_peak=3 * GIB // 2)
    assert main(["advise", str(path)]) == 0
    assert "-> nothing to change" in capsys.readouterr().out
    project.environment(ENVIRONMENT.replace("quarantine: data/quarantine", "quarantine: s3a://lake/q"))
    assert main(["advise", str(path)]) == 2
    assert "the report of each run has the same advice" in capsys.readouterr().err


def test_a_file_that_is_none_of_ours_is_as_none_and_old_entries_go(project: Project) -> None:
    kept = Kept(folder=str(project.folder / "q"), pipeline="orders", storage=Local())
    Local().write(kept.path("run"), "{half")
    assert kept.entries("run") == []
    for text in ("[1]", '{"a": 1}', '[{"window": 3}]', '[{"window": {"start": "", "end": ""}, "seconds": "x"}]'):
        Local().write(kept.path("run"), text)
        assert kept.entries("run") == [], text
    usage = Usage(seconds=1.0, cores=2, heap_peak=1, heap_max=2).to_json()
    for number in range(60):
        kept.add("run", {"window": {"start": "a", "end": "b"}, **usage, "number": number})
    assert [entry["number"] for entry in kept.entries("run")] == list(range(10, 60))


def test_what_was_kept_and_can_not_be_read_stops_no_run(project: Project) -> None:
    pipeline = project.pipeline(PIPELINE.replace("start: 2013", "resources: {size: auto}\nstart: 2013"))
    folder = project.folder / "data/quarantine/-usage/orders"
    folder.parent.mkdir(parents=True)
    folder.symlink_to(folder)  # whoever asks gets an OSError, root too
    with pytest.raises(OSError, match="symbolic links"):
        Local().read(str(folder / "run.json"))
    assert pipeline.moved() is None


def test_a_window_of_few_bytes_is_advised_no_size_that_is_for_few_rows(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project.write(PIPELINE.replace("start: 2013", "resources: {size: medium}\nstart: 2013"))
    keep(project, "run", 4, bytes_read=1000)
    assert main(["advise", str(path)]) == 0
    assert "the size is medium: size: small" in capsys.readouterr().out
    path = project.write(PIPELINE.replace("start: 2013", "resources: {size: small}\nstart: 2013"))
    assert main(["advise", str(path)]) == 0
    assert "the size is" not in capsys.readouterr().out


def test_explain_says_what_each_application_gets(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    def said(resources: str) -> str:
        path = project.write(PIPELINE.replace("start: 2013", f"{resources}start: 2013"))
        assert main(["explain", str(path), "--window", "2013-01-01"]) == 0
        return capsys.readouterr().out

    assert "  each application gets a driver with 2g, 2 cores, settings for small windows\n" in said("")
    project.environment(ENVIRONMENT.replace("small: true", "small: true, conf: {spark.master: 'spark://h:7077'}"))
    told = said("resources: {size: small, load: {size: large, max_executors: 30}}\n")
    assert (
        "  extract gets a driver with 2g, executors 2, cores each 2, memory each 4g, 64 shuffle partitions (size sm"
        in told
    )
    assert (
        "  load gets a driver with 2g, executors 20, executors at most 30, cores each 4, memory each 16g, 2000" in told
    )
    assert "(size auto: as the files of each window say, else small: no window is known)" in said(
        "resources: {size: auto}\n"
    )
    keep(project, "extract", 1, bytes_read=50 * GIB)
    assert "  extract gets a driver with 2g, executors 8, " in said("resources: {size: auto}\n")
