"""Given bad files among good ones, the good ones are DAGs, and each bad one says what is wrong, where, what to do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.airflow.project import ENVIRONMENT, FLIGHTS, Project
from tests.airflow.test_factory import BROKEN, as_dag_processor, bag_of, serialised

__all__ = ["as_dag_processor"]

pytestmark = [pytest.mark.airflow, pytest.mark.usefixtures("as_dag_processor")]


def test_one_bad_file_among_two_hundred_leaves_199_dags_and_one_import_error(project: Project) -> None:
    for place in range(198):
        project.pipeline(f"p{place:03}")
    project.pipeline("p198", BROKEN)
    dags, errors = serialised(bag_of(project))
    assert len(dags) == 199
    assert set(errors) == {"pipelines/p198.yaml"}
    assert (
        "pipelines/p198.yaml:5:1: error[unknown-key]: ownr: unknown key 'ownr'; did you mean 'owner'?"
        in (errors["pipelines/p198.yaml"])
    )


def test_a_file_half_written_is_told_and_is_a_dag_once_it_is_whole(project: Project) -> None:
    path = project.pipeline("orders")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    dags, errors = serialised(bag_of(project))
    assert set(dags) == {"flights"}
    assert set(errors) == {"pipelines/orders.yaml"}
    path.write_bytes(whole)
    dags, errors = serialised(bag_of(project))
    assert set(dags) == {"flights", "orders"}
    assert not errors


def test_a_file_that_is_being_replaced_is_never_read_in_part(project: Project) -> None:
    """What git and most tools do: another file under a hidden name, then a rename. The hidden one is no pipeline."""
    path = project.pipeline("orders")
    path.with_name(".orders.yaml.swp.yaml").write_bytes(path.read_bytes()[:100])
    dags, errors = serialised(bag_of(project))
    assert set(dags) == {"flights", "orders"}
    assert not errors


def test_a_renamed_file_is_another_dag_and_leaves_nothing_behind(project: Project) -> None:
    path = project.pipeline("orders")
    assert set(serialised(bag_of(project))[0]) == {"flights", "orders"}
    path.rename(path.with_name("sales.yaml"))
    dags, errors = serialised(bag_of(project))
    assert set(dags) == {"flights", "sales"}
    assert not errors


def test_a_file_that_goes_while_the_folder_is_read_is_an_error_of_its_own(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow_provider_etl.factory import loader

    path = project.pipeline("orders")
    found = loader.find_files(path.parent)
    path.unlink()
    monkeypatch.setattr(loader, "find_files", lambda _, **__: found)
    dags, errors = serialised(bag_of(project))
    assert set(dags) == {"flights"}
    assert (
        "error[file-unreadable]: the file can't be read: No such file or directory" in errors["pipelines/orders.yaml"]
    )


def test_two_files_with_one_id_leave_the_first(project: Project) -> None:
    project.write("dags/pipelines/sub/flights.yml", FLIGHTS)
    dags, errors = serialised(bag_of(project))
    assert set(dags) == {"flights"}
    assert set(errors) == {"pipelines/sub/flights.yml"}
    assert "rename one of the files" in errors["pipelines/sub/flights.yml"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "roots: [data]",
            "roots: [data]\nrotos: [x]",
            "local.yaml:4:1: error[unknown-key]: rotos: unknown key 'rotos'",
        ),
        (", staging: data/staging", "", "local.yaml:2:1: error[missing-key]: variables: key 'staging' is missing"),
        ("raw: data/raw", '"raw": "${env.lake}", "x": "${env.x}"', "error[variable-cycle]: variables.x: variables are"),
        ("kind: local", "kind: [", "local.yaml:"),
    ],
)
def test_an_environment_that_is_wrong_is_told_at_its_own_place(project: Project, old: str, new: str, told: str) -> None:
    assert old in ENVIRONMENT
    path = project.write("config/environments/local.yaml", ENVIRONMENT.replace(old, new))
    dags, errors = serialised(bag_of(project))
    assert not dags
    assert set(errors) == {"pipelines/flights.yaml"}
    assert told in errors["pipelines/flights.yaml"]
    assert f"{path.name}:" in errors["pipelines/flights.yaml"]
    project.write("config/environments/local.yaml", ENVIRONMENT)
    dags, errors = serialised(bag_of(project))
    assert set(dags) == {"flights"}
    assert not errors


def test_a_missing_variable_is_an_error_of_the_file_that_names_it(project: Project) -> None:
    project.pipeline("orders", FLIGHTS.replace("${env.raw}", "${env.row}"))
    dags, errors = serialised(bag_of(project))
    assert set(dags) == {"flights"}
    assert "'${env.row}' is unknown; did you mean 'env.raw'?" in errors["pipelines/orders.yaml"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("größe.yaml", "can't be a DAG's id; name the file with ASCII letters"),
        ("a b.yaml", "can't be a DAG's id"),
        ("x" * 245 + ".yaml", "has 245 characters, 200 is the most; rename the file"),
        ("Orders.YAML", "error[file-ending]: the ending .YAML isn't read"),
        ("a\nb.yaml", "can't be a DAG's id"),
    ],
)
def test_a_file_s_name_gets_a_clear_verdict(project: Project, name: str, told: str) -> None:
    (project.dags / "pipelines" / name).write_text(FLIGHTS)
    dags, errors = serialised(bag_of(project))
    assert set(dags) == {"flights"}
    assert set(errors) == {f"pipelines/{name}"}
    assert told in errors[f"pipelines/{name}"]


def test_a_name_that_is_no_utf_8_harms_nobody(project: Project) -> None:
    folder = os.fsencode(project.dags / "pipelines")
    Path(os.fsdecode(folder + b"/\xff.yaml")).write_text(FLIGHTS)
    dags, errors = serialised(bag_of(project))
    assert set(dags) == {"flights"}
    (told,) = errors.items()
    "".join(told).encode()  # what a database does with it
    assert "can't be a DAG's id" in told[1]


def test_links_are_followed_to_files_and_broken_ones_are_told(project: Project) -> None:
    folder = project.dags / "pipelines"
    kept = project.write("elsewhere/orders.yaml", FLIGHTS)
    (folder / "orders.yaml").symlink_to(kept)  # as Kubernetes mounts them
    (folder / "gone.yaml").symlink_to(folder / "nowhere.yaml")
    (folder / "loop.yaml").symlink_to(folder / "loop.yaml")
    (folder / "loop").symlink_to(folder)
    dags, errors = serialised(bag_of(project))
    assert set(dags) == {"flights", "orders"}
    assert set(errors) == {"pipelines/gone.yaml", "pipelines/loop.yaml"}
    assert all("error[file-unreadable]: the file can't be read: " in told for told in errors.values())
