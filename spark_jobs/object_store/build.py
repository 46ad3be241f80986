"""Builds the jar of Delta's log store from the source beside it, the same bytes each time.

`python -m spark_jobs.object_store.build JARS` where JARS is the folder that `airflow-etl doctor --fetch-jars` fills.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).with_name("ConditionalPutLogStore.java")
JAR: Final = Path(__file__).with_name("conditional-put-log-store.jar")
RELEASE: Final = 17
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


def build(jars: Path, target: Path) -> None:
    """Compile the source and pack it.

    Args:
        jars: a folder with the jars of jars.lock and, below it in `s3`, of jars-s3.lock.
        target: the jar; replaced.

    Raises:
        subprocess.CalledProcessError: javac found something wrong; its words are on stderr.
    """
    with tempfile.TemporaryDirectory() as folder:
        _compile(jars, Path(folder))
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as packed:
            for path in sorted(Path(folder).rglob("*.class")):
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _EPOCH)
                entry.external_attr = 0o644 << 16
                packed.writestr(entry, path.read_bytes())


def _compile(jars: Path, folder: Path) -> None:
    import pyspark

    places = [str(jars / "*"), str(jars / "s3" / "*"), str(Path(pyspark.__file__).parent / "jars" / "*")]
    command = ["javac", "--release", str(RELEASE), "-g:none", "-proc:none", "-Xlint:all,-classfile,-path,-processing"]
    command += ["-encoding", "UTF-8", "-cp", ":".join(places), "-d", str(folder), str(SOURCE)]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    build(Path(sys.argv[1]), JAR)
