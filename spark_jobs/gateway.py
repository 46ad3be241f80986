"""Starts the JVM of a local driver without Spark's launcher, which takes two shells and a JVM to find one command.

PySpark connects to a gateway that is there already where PYSPARK_GATEWAY_PORT says so. The command is the one that
`spark-submit` of Spark 4.1 composes, which a test compares; for any other version PySpark starts its launcher.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from spark_jobs.errors import InfrastructureError

_KNOWN: Final = "4.1."
_PATIENCE: Final = 120.0  # seconds until the JVM has said where it listens
# What PySpark and we look up by name again and again: in one word as PySpark does, or package by package.
_WORDS: Final = (
    "PythonSQLUtils",
    "PythonUtils",
    "functions",
    "org.apache.spark.sql.classic.SparkSession",
    "org.apache.spark.sql.functions",
)
_PATHS: Final = ("org.apache.hadoop.fs.Path", "org.apache.spark.sql.delta", "py4j.reflection.TypeUtil", "scala", "java")
_held: Final[list[subprocess.Popen[bytes]]] = []  # an object that is collected would close the JVM's input
_PACKAGES: Final = """
java.base/java.lang java.base/java.lang.invoke java.base/java.lang.reflect java.base/java.io java.base/java.net
java.base/java.nio java.base/java.util java.base/java.util.concurrent java.base/java.util.concurrent.atomic
java.base/jdk.internal.ref java.base/sun.nio.ch java.base/sun.nio.cs java.base/sun.security.action
java.base/sun.util.calendar java.security.jgss/sun.security.krb5
"""
# As org.apache.spark.launcher.JavaModuleOptions has them.
_MODULES: Final = (
    "-XX:+IgnoreUnrecognizedVMOptions",
    "--add-modules=jdk.incubator.vector",
    *(f"--add-opens={package}=ALL-UNNAMED" for package in _PACKAGES.split()),
    "-Djdk.reflect.useDirectMethodHandle=false",
    "-Dio.netty.tryReflectionSetAccessible=true",
    "-Dio.netty.allocator.type=pooled",
    "-Dio.netty.handler.ssl.defaultEndpointVerificationAlgorithm=NONE",
    "--enable-native-access=ALL-UNNAMED",
    "-Dderby.connection.requireAuthentication=false",
)


def serves(conf: Mapping[str, str]) -> bool:
    """Whether this can start the driver: PySpark's own jars, of the version that is known, and no gateway yet."""
    import pyspark
    from pyspark import SparkContext

    ours = pyspark.__version__.startswith(_KNOWN) and not os.environ.get("SPARK_HOME")
    files = any(name in os.environ for name in ("SPARK_CONF_DIR", "PYSPARK_SUBMIT_ARGS", "PYSPARK_GATEWAY_PORT"))
    running = SparkContext._gateway is not None
    return ours and not files and not running and conf.get("spark.master", "").startswith("local")


def command(conf: Mapping[str, str]) -> list[str]:
    """What `spark-submit` would run.

    Args:
        conf: `spark.master`, `spark.driver.memory`, `spark.driver.extraClassPath`, `spark.driver.extraJavaOptions`, and
            whatever else Spark is told.
    """
    import pyspark

    home = Path(pyspark.__file__).parent
    java = os.path.join(os.environ["JAVA_HOME"], "bin", "java") if os.environ.get("JAVA_HOME") else "java"
    first = sorted(str(path) for path in (home / "jars").glob("slf4j-api-*.jar"))
    paths = [conf.get("spark.driver.extraClassPath", ""), str(home / "conf"), *first, str(home / "jars" / "*")]
    told = [item for key, value in conf.items() for item in ("--conf", f"{key}={value}")]
    return [
        java,
        "-cp",
        ":".join(path for path in paths if path),
        f"-Xmx{conf['spark.driver.memory']}",
        *shlex.split(conf.get("spark.driver.extraJavaOptions", "")),
        *_MODULES,
        "org.apache.spark.deploy.SparkSubmit",
        *told,
        "pyspark-shell",
    ]


@contextmanager
def started(conf: Mapping[str, str]) -> Iterator[None]:
    """Start the JVM, and tell PySpark where it listens while it connects; nothing where PySpark must do it itself.

    The JVM ends when this process does. The way to it leaves the environment again: no child of ours shall have it.

    Raises:
        InfrastructureError: the JVM ended, or said nothing in time.
    """
    if not serves(conf):
        yield
        return
    port, secret = _start(conf)
    os.environ |= {"PYSPARK_GATEWAY_PORT": str(port), "PYSPARK_GATEWAY_SECRET": secret}
    try:
        yield
    finally:
        del os.environ["PYSPARK_GATEWAY_PORT"], os.environ["PYSPARK_GATEWAY_SECRET"]


def _start(conf: Mapping[str, str]) -> tuple[int, str]:
    with tempfile.TemporaryDirectory(prefix="etl-gateway-") as folder:
        info = Path(folder, "connection")
        process = subprocess.Popen(
            command(conf),
            stdin=subprocess.PIPE,  # at its end the JVM ends
            env=os.environ | {"SPARK_CONNECT_MODE": "0", "_PYSPARK_DRIVER_CONN_INFO_PATH": str(info)},
        )
        _held.append(process)
        return _connection(process, info)


def _connection(process: subprocess.Popen[bytes], info: Path) -> tuple[int, str]:
    deadline = time.monotonic() + _PATIENCE
    while not info.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise InfrastructureError(
                f"Java ended with exit code {process.wait()} before Spark was there",
                where="start",
                remedy="its own words are above; airflow-etl doctor checks Java and its options",
            )
        time.sleep(0.02)
    with info.open("rb") as file:
        port = int.from_bytes(file.read(4), "big", signed=True)
        return port, file.read(int.from_bytes(file.read(4), "big", signed=True)).decode()


def remember(jvm: Any) -> None:
    """Look names up once: each time, Java searches all jars for `org`, then `org.apache`, by every import it has.

    Args:
        jvm: py4j's view of the JVM; what is an attribute of it, or of a package, isn't asked for.
    """
    for word in _WORDS:
        setattr(jvm, word, getattr(jvm, word))
    for path in _PATHS:
        place = jvm
        for name in path.split("."):
            found = getattr(place, name)
            setattr(place, name, found)
            place = found


def alive() -> bool:
    """Whether every JVM that was started here still runs."""
    return all(process.poll() is None for process in _held)


def lost(seconds: float = 5.0) -> int | None:
    """The exit code of one that has ended, or does within a time; None where all run.

    Args:
        seconds: how long to wait: its connections break before it is gone.
    """
    deadline = time.monotonic() + (seconds if _held else 0)
    while alive() and time.monotonic() < deadline:
        time.sleep(0.05)
    return next((code for process in _held if (code := process.poll()) is not None), None)


def kill() -> None:
    """Kill them, and wait until they are gone."""
    for process in _held:
        process.kill()
        process.wait()
