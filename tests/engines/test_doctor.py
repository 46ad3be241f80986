"""What `doctor` finds, and how it fetches the jars: checked, whole or not at all, and one clear message if it can't."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from airflow_provider_etl.cli import doctor, doctor_connections, jars
from airflow_provider_etl.cli.main import main
from airflow_provider_etl.spec.locks import Jar, locked_for_s3, of_lock
from spark_jobs.errors import ConfigError, InfrastructureError
from spark_jobs.session import java_options
from tests.airflow.project import ENVIRONMENT, ROOT

CONTENT = b"a jar"
JAR = Jar(group="g", artifact="thing_2.13", version="1.0", sha256=hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with an environment, in whose folder the command is run."""
    folder = tmp_path / "project"
    (folder / "config/environments").mkdir(parents=True)
    (folder / "config/environments/local.yaml").write_text(ENVIRONMENT)
    monkeypatch.chdir(folder)
    return folder


def test_a_sound_installation_is_all_there(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "missing" not in said
    for what in ("Java ", "pyspark 4", "environment local", "delta-storage", f"lake: {project}/data/lake"):
        assert re.search(f"^ok .*{re.escape(what)}", said, re.MULTILINE), what
    assert not (project / "data").exists(), "looking makes nothing"


@pytest.mark.parametrize(
    ("answer", "told", "code"),
    [
        ((0, ""), r"^ok +airflow dags backfill$", 0),
        ((0, "why"), r"^optional airflow dags backfill isn't there: why\n +-> airflow-etl backfill does the same$", 0),
        ((1, "ImportError: x"), r"^missing +Airflow's command line: ImportError: x$", 1),
    ],
)
def test_whether_dags_backfill_is_there_and_why_not(
    project: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    *,
    answer: tuple[int, str],
    told: str,
    code: int,
) -> None:
    monkeypatch.setattr(doctor, "_asked", lambda: answer)
    assert main(["doctor"]) == code
    assert re.search(told, capsys.readouterr().out, re.MULTILINE)


PIPELINE = """
schedule: manual
start: 2013-01-01
wait_for:
  - sql: {connection: erp, query: "SELECT 1"}
notify:
  - {type: slack, connection: chat, channel: alerts}
extract:
  orders: {type: jdbc, connection: shop, table: orders, window: all, columns: {mail: {type: string}}}
transform:
  - from: orders
  - mask: {columns: {mail: hash}, key: pepper}
load:
  lake: {type: jdbc, connection: shop, table: public.orders, write: {strategy: snapshot}}
"""


def test_connections_that_pipelines_name_and_airflow_lacks_are_told_with_their_places(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project / "dags/sales.yaml"
    path.parent.mkdir()
    path.write_text(PIPELINE)
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", "postgres://u:topsecret@db/shop")
    assert main(["doctor", "dags"]) == 1
    said = capsys.readouterr().out
    assert re.search(
        r"^ok +connection shop \(postgres\), named at dags/sales.yaml: extract.orders.connection$", said, re.MULTILINE
    )
    for name, where in {"erp": "wait_for.1", "chat": "notify[0]", "pepper": "transform.result[0].mask.key"}.items():
        assert re.search(rf"^missing +connection {name}, named at .*{re.escape(where)}.*\n +-> .", said, re.MULTILINE)
    assert "topsecret" not in said


def test_a_backend_that_fails_is_told_without_its_words(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_name: str, _where: str) -> None:
        raise RuntimeError("topsecret")

    path = project / "sales.yaml"
    path.write_text(PIPELINE)
    monkeypatch.setattr(doctor_connections, "connection_of", fail)
    assert main(["doctor", str(path)]) == 1
    said = capsys.readouterr().out
    assert "Airflow can't say (RuntimeError)\n         -> try: airflow connections get shop" in said
    assert "topsecret" not in said


def test_java_missing_names_the_command_that_installs_it(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(project))
    assert main(["doctor"]) == 1
    assert re.search(r"missing +Java.*\n.*apt-get install openjdk-17-jre-headless", capsys.readouterr().out)


def test_the_spark_of_an_engine_is_the_one_that_is_installed_and_pipelines_fit_it(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "config/environments/local.yaml").write_text(ENVIRONMENT.replace("cores:", 'spark: "4.3", cores:'))
    path = project / "dags/sales.yaml"
    path.parent.mkdir()
    path.write_text(PIPELINE)
    assert main(["doctor", str(path)]) == 1
    said = capsys.readouterr().out
    assert re.search(r'missing +engine local says Spark 4\.3, and 4\.1\.\d is installed\n +-> spark: "4\.1" in', said)
    assert re.search(r"missing .*sales\.yaml: Delta Lake can't be used on Spark 4\.3", said)
    (project / "config/environments/local.yaml").write_text(ENVIRONMENT)
    main(["doctor", str(path)])
    assert re.search(
        r"^ok .*sales\.yaml: delta, postgresql, mariadb fit Spark 4\.1$", capsys.readouterr().out, re.MULTILINE
    )


def test_jars_that_spark_fetches_are_looked_for_in_no_folder(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = ENVIRONMENT.replace(str(ROOT / "jars"), "elsewhere").replace("cores:", "packages: resolve, cores:")
    (project / "config/environments/local.yaml").write_text(text)
    assert main(["doctor"]) == 0
    assert "delta-storage" not in capsys.readouterr().out


def test_jars_missing_names_the_command_that_fetches_them(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    environment = ENVIRONMENT.replace(str(ROOT / "jars"), "elsewhere")
    (project / "config/environments/local.yaml").write_text(environment)
    assert main(["doctor"]) == 1
    assert re.search(r"missing +io\.delta:delta-storage.*\n.*--fetch-jars", capsys.readouterr().out)


def test_a_jar_that_was_tampered_with_is_found(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(ROOT / "jars", project / "own")
    [storage] = (project / "own").glob("*delta-storage*")
    storage.write_bytes(storage.read_bytes() + b" ")
    (project / "config/environments/local.yaml").write_text(ENVIRONMENT.replace(str(ROOT / "jars"), "own"))
    assert main(["doctor"]) == 1
    assert "isn't what the lock names" in capsys.readouterr().out


def test_no_environment_and_a_folder_that_can_not_be_made_are_missing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "data").write_text("a file where a folder should be")
    assert main(["doctor"]) == 1
    assert "data/lake can't be written" in capsys.readouterr().out
    assert main(["doctor", "--environment", "nowhere"]) == 1
    assert "no environment 'nowhere'" in capsys.readouterr().out


def test_packages_of_two_versions_that_overwrite_each_other_are_found(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "_version", lambda name: "4.0.0" if name == "pyspark-client" else "4.1.3")
    assert main(["doctor"]) == 1
    assert "pyspark 4.1.3 and pyspark-client 4.0.0 must be equal" in capsys.readouterr().out


def test_with_a_root_on_s3_its_jars_and_how_delta_commits_there_count(
    project: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["doctor"]) == 0
    assert "S3" not in capsys.readouterr().out, "nobody else pays for it"
    key = "spark.delta.logStore.s3a.impl"
    on_s3 = ENVIRONMENT.replace("roots: [data]", 'roots: [data, "s3a://lake"]').replace(str(ROOT / "jars"), "own")
    unsafe = on_s3.replace("cores: 1", f"conf: {{{key}: io.delta.storage.S3SingleDriverLogStore}}, cores: 1")
    (project / "config/environments/local.yaml").write_text(unsafe)
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert re.search(
        r"missing +org\.apache\.hadoop:hadoop-aws:3\.4\.2: not in .*/own/s3\n.*--fetch-jars --for-s3", said
    )
    assert re.search(f"missing +engine local sets {key}: commits of concurrent writers could get lost", said)
    (project / "config/environments/local.yaml").write_text(on_s3)
    main(["doctor"])
    assert re.search("^ok +engine local commits to S3 by conditional puts$", capsys.readouterr().out, re.MULTILINE)


def test_the_jars_for_s3_are_none_that_spark_has_itself() -> None:
    import pyspark

    theirs = {path.name.rpartition("-")[0] for path in (Path(pyspark.__file__).parent / "jars").glob("*.jar")}
    assert not {jar.artifact for jar in locked_for_s3()} & theirs


def test_a_jar_is_found_by_its_whole_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`thing` is not `other-thing`, which is fetched with it."""

    def bring(_jars: object, scratch: Path) -> None:
        (scratch / "g.other-thing_2.13-1.0.jar").write_bytes(b"another")
        (scratch / "g.thing_2.13-1.0.jar").write_bytes(CONTENT)

    monkeypatch.setattr(jars, "_download", bring)
    assert jars.fetch(tmp_path, [JAR]) == [tmp_path / "g_thing_2.13-1.0.jar"]


def tool_that_brings(monkeypatch: pytest.MonkeyPatch, content: bytes | None) -> None:
    """In the place of Maven and Spark's resolver: brings a file, or nothing."""

    def bring(_jars: object, scratch: Path) -> None:
        if content is not None:
            (scratch / "deep").mkdir()
            (scratch / "deep/thing_2.13-1.0.jar").write_bytes(content)

    monkeypatch.setattr(jars, "locked", lambda: [JAR])
    monkeypatch.setattr(jars, "_download", bring)


def test_a_jar_gets_in_when_it_is_what_the_lock_names_and_is_not_fetched_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool_that_brings(monkeypatch, CONTENT)
    folder = tmp_path / "new/jars"
    assert jars.fetch(folder) == [folder / "g_thing_2.13-1.0.jar"]
    assert [path.name for path in folder.iterdir()] == ["g_thing_2.13-1.0.jar"]
    monkeypatch.setattr(jars, "_download", lambda *_: pytest.fail("asked for again"))
    assert jars.fetch(folder) == []


def test_a_jar_that_is_another_one_never_gets_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool_that_brings(monkeypatch, b"something else")
    with pytest.raises(ConfigError, match=r"g:thing_2\.13:1\.0 came with SHA-256 .*expected " + JAR.sha256):
        jars.fetch(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_jar_that_is_not_to_be_had_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool_that_brings(monkeypatch, None)
    with pytest.raises(InfrastructureError, match="wasn't found"):
        jars.fetch(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.spark
def test_no_network_is_one_clear_message(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Spark's real resolver, behind a proxy that isn't there and without anybody's cache."""
    nowhere = " ".join(f"-D{scheme}.proxyHost=127.0.0.1 -D{scheme}.proxyPort=9" for scheme in ("http", "https"))
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", f"{nowhere} -Duser.home={project}")
    monkeypatch.setattr(jars.shutil, "which", lambda _: None)
    (project / "config/environments/local.yaml").write_text(ENVIRONMENT.replace(str(ROOT / "jars"), "new"))
    assert main(["doctor", "--fetch-jars"]) == 1
    said = capsys.readouterr().err.strip()
    assert said.count("\n") == 0
    assert "the jars can't be fetched" in said
    assert "check the network" in said
    assert not list((project / "new").iterdir())


def test_the_lock_names_jars_by_coordinates_and_digest() -> None:
    locked = jars.locked()
    assert [jar.artifact for jar in locked] == [
        "delta-spark_4.1_2.13",
        "delta-storage",
        "iceberg-spark-runtime-4.1_2.13",
        "spark-avro_2.13",
        "mariadb-java-client",
        "postgresql",
    ]
    assert all(re.fullmatch("[0-9a-f]{64}", jar.sha256) for jar in locked)


@pytest.mark.e2e
@pytest.mark.prove  # `make test` makes one by the same command, and starts with it whatever it starts
def test_the_archive_is_made_by_a_real_run_and_spark_starts_with_it(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = re.sub(r"archive: [^}]+", "archive: .cache/own.jsa", ENVIRONMENT)
    (project / "config/environments/local.yaml").write_text(environment)
    assert main(["doctor", "--archive"]) == 0
    said = capsys.readouterr().out
    archive = project / ".cache/own.jsa"
    assert archive.stat().st_size > 50_000_000
    assert f"made     {archive}" in said
    assert [path.name for path in archive.parent.iterdir()] == ["own.jsa"]
    encoded = Path(ROOT, "jars").as_uri() != f"file://{ROOT}/jars"
    assert loads_classes_from(archive, project) != encoded, "what Java shares where the project's path has a space"
    assert ("Java shares no classes of" in said) == encoded


def test_a_path_whose_classes_java_does_not_share_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(ROOT / "jars", project / "a jar")
    (project / "own.jsa").touch()
    environment = re.sub(r"archive: [^}]+", "archive: own.jsa", ENVIRONMENT).replace(str(ROOT / "jars"), "a jar")
    (project / "config/environments/local.yaml").write_text(environment)
    assert main(["doctor"]) == 0
    assert re.search(f"^optional .*Java shares no classes of {project}/a jar", capsys.readouterr().out, re.MULTILINE)


def loads_classes_from(archive: Path, folder: Path) -> bool:
    """Whether a JVM with the product's options takes Delta's classes from the archive."""
    log = folder / "classes.log"
    options = [*java_options(small=True, archive=str(archive)), f"-Xlog:class+load:file={log}"]
    engine = {
        "small": True,
        "memory": "1g",
        "jars": str(ROOT / "jars"),
        "conf": {"spark.driver.extraJavaOptions": " ".join(options)},
    }
    code = (
        "from spark_jobs.session import start\n"
        f"start('t', {engine!r}).range(3).write.format('delta').save({str(folder / 'table')!r})\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, cwd=ROOT)
    return bool(re.search(r"org\.apache\.spark\.sql\.delta\.DeltaLog source: shared objects file", log.read_text()))


def test_a_jar_of_a_lock_may_have_a_classifier() -> None:
    """Such a one lies beside the jar that has none, and neither is taken for the other."""
    plain, tests = of_lock("g:core:1.0 aa\ng:core:1.0:tests bb\n")
    assert [jar.name for jar in (plain, tests)] == ["g_core-1.0.jar", "g_core-1.0-tests.jar"]
    assert tests.coordinates == "g:core:1.0:tests"
    assert "<classifier>tests</classifier>" in jars._dependency(tests)
    assert "classifier" not in jars._dependency(plain)
