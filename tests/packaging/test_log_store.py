"""Given the source of Delta's log store for S3, then the jar beside it was built from just that."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from spark_jobs.object_store.build import JAR, RELEASE, build
from tests.packaging.conftest import ROOT


def test_the_jar_is_built_from_the_source_byte_for_byte(tmp_path: Path) -> None:
    if shutil.which("javac") is None:
        pytest.skip("no javac: apt-get install openjdk-17-jdk-headless")
    said = subprocess.run(["javac", "-version"], check=True, capture_output=True, text=True).stdout
    if not re.match(rf"javac {RELEASE}\b", said):
        pytest.skip(f"{said.strip()}: another compiler writes other bytes than that of {RELEASE}")
    if not (ROOT / "jars/s3").is_dir():
        pytest.skip("no jars for S3: make s3")
    build(ROOT / "jars", tmp_path / "again.jar")
    assert (tmp_path / "again.jar").read_bytes() == JAR.read_bytes(), "make log-store"
