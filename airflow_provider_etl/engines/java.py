"""Which Java Spark would start, and whether it is one that Spark runs on."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from spark_jobs.errors import ConfigError

REQUIRED: Final = 17
INSTALL: Final = "apt-get install openjdk-17-jre-headless (Debian, Ubuntu), or point JAVA_HOME at a Java 17 or later"


def require_java(environment: Mapping[str, str]) -> tuple[str, int]:
    """The command and the major version of the Java that Spark would start.

    Args:
        environment: the environment variables that Spark will get.

    Raises:
        ConfigError: there is none, or it is too old.
    """
    command = java_command(environment)
    if command is None:
        home = environment.get("JAVA_HOME")
        what = f"there is no bin/java in JAVA_HOME={home}" if home else "there is no java on the PATH"
        raise ConfigError(what, where="Java", expected=f"Java {REQUIRED} or later", remedy=INSTALL)
    version = java_version(command)
    if version < REQUIRED:
        raise ConfigError(
            f"{command} is Java {version}", where="Java", expected=f"Java {REQUIRED} or later", remedy=INSTALL
        )
    return command, version


def java_command(environment: Mapping[str, str]) -> str | None:
    """The java that Spark's scripts take: JAVA_HOME's, else the first on the PATH; None where there is none."""
    if home := environment.get("JAVA_HOME"):
        return shutil.which("java", path=os.path.join(home, "bin"))
    return shutil.which("java", path=environment.get("PATH"))


def java_version(command: str) -> int:
    """Major version of a java; read from its `release` file where it has one, which takes no time.

    Raises:
        ConfigError: it doesn't say.
    """
    release = Path(command).resolve().parent.parent / "release"
    said = release.read_text(encoding="utf-8", errors="replace") if release.is_file() else ""
    found = re.search(r'JAVA_VERSION="(?:1\.)?(\d+)', said)
    if not found:
        said = subprocess.run([command, "-version"], capture_output=True, text=True, timeout=60, check=False).stderr
        found = re.search(r'version "(?:1\.)?(\d+)', said)
    if not found:
        raise ConfigError(f"{command} doesn't say its version: {said[:200]!r}", where="Java", remedy=INSTALL)
    return int(found.group(1))
