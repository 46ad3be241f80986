"""Functions that read files as a whole travel to executors that have no copy of this package."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.extract import excel, json_document, whole, xml
from tests.spark_jobs.extract.workbooks import rows, workbook

CASES: list[tuple[Any, tuple[Any, ...], bytes]] = [
    (xml, ("row", {}), b"<r><row>x</row></r>"),
    (json_document, ((),), b'[{"a":1}]'),
    (excel, (1, 1), workbook({"x": rows(["a"], [1])})),
]
THERE = """
import pickle, sys
sys.path = [path for path in sys.path if path and not any(name in path for name in sys.argv[2:])]
with open(sys.argv[1], "rb") as file:
    batches, split, content = pickle.load(file)
print(sum(len(batch) for batch in batches("file", content, split)))
assert not any(name.startswith("spark_jobs") for name in sys.modules)
"""


@pytest.mark.parametrize(("module", "options", "content"), CASES)
def test_a_function_runs_where_the_package_is_not(
    module: Any, options: tuple[Any, ...], content: bytes, tmp_path: Path
) -> None:
    from pyspark import cloudpickle

    records = module._records

    def split(data: bytes) -> Iterator[Any]:
        return records(data, *options)

    for each in (whole, module, sys.modules[__name__]):
        cloudpickle.register_pickle_by_value(each)
    path = tmp_path / "function"
    path.write_bytes(cloudpickle.dumps((whole._batches, split, content)))
    command = [sys.executable, "-c", THERE, str(path)]
    done = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ("2" if module is excel else "1")


def test_a_file_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import bz2
    import gzip

    monkeypatch.setattr(whole, "LARGEST", 1000)
    assert whole.expanded("a.json.gz", gzip.compress(b"x" * 1000)) == b"x" * 1000
    with pytest.raises(ValueError, match="more than 1,000 bytes once it is decompressed"):
        whole.expanded("a.json.bz2", bz2.compress(b"x" * 1001))
    with pytest.raises(ValueError, match="can't be decompressed"):
        whole.expanded("a.json.gz", gzip.compress(b"x" * 1000)[:-3])


def test_batches_end_with_why_a_file_can_not_be_read() -> None:
    def split(_: bytes) -> Iterator[Any]:
        yield {"value": "x"}
        raise ValueError("broken here")

    assert list(whole._batches("f", b"", split)) == [
        [{"file": "f", "value": "x"}, {"file": "f", "whole": "broken here"}]
    ]
