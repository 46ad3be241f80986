"""Given the same files, when another process builds them again, then every DAG is stored byte for byte alike.

When one file is changed, then its DAG alone is another one: Airflow makes a new version of no other.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.airflow.lanes import PROJECT

pytestmark = pytest.mark.airflow

# Keys are sorted, as Airflow does before it compares versions: it writes a DAG's own fields in the order of a set.
CODE = """
import json, sys
from pathlib import Path
from tests.airflow.lanes.versions import bag_of, to_json

bag = bag_of(Path(sys.argv[1]))
assert not bag.import_errors, bag.import_errors
print(json.dumps({name: json.dumps(to_json(dag), sort_keys=True) for name, dag in sorted(bag.dags.items())}))
"""


def stored(project: Path, seed: int) -> dict[str, str]:
    """DAG id -> the text that a process of its own stores, with another order of sets for each seed."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(project / "dags/etl.py")],
        capture_output=True, text=True, check=False, timeout=120, cwd=Path(__file__).parents[3],
        env=os.environ | {"PYTHONHASHSEED": str(seed)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    dags: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return dags


def test_another_process_builds_the_same_bytes_and_a_changed_file_changes_its_own_dag_alone(tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(PROJECT, project)
    first = stored(project, 1)
    assert len(first) == 6
    assert stored(project, 4711) == first
    file = project / "dags/pipelines/daily.yaml"
    file.write_text(file.read_text().replace("timeout: 10m", "timeout: 20m"))
    again = stored(project, 1)
    assert {name for name in first if again[name] != first[name]} == {"daily"}
    assert set(again) == set(first)
