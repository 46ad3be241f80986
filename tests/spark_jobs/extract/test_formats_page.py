"""The samples of docs/formats.md are read as the sources above them say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.spark_jobs.extract.drops import Drops

pytestmark = pytest.mark.spark

PAGE = (Path(__file__).resolve().parents[3] / "docs/formats.md").read_text()
SAMPLES = re.findall(r"```yaml\n([^`]*)```\n```text\n([^`]*)```", PAGE)


def test_every_sample_gives_rows_and_nothing_is_set_aside(drops: Drops) -> None:
    assert len(SAMPLES) == 6
    for source, sample in SAMPLES:
        given = yaml.safe_load(source)
        name = str(given.pop("path")).rpartition("/")[2]
        assert given.pop("type") == "files"
        drops.put(name, sample)
        read = drops.read(name, **given)
        assert read.rows, source
        assert (read.counts.filtered, read.refused) == (0, []), source
