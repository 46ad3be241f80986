"""What `spark-submit` is told: arguments that anybody may read, and a file of settings that nobody else can."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from airflow_provider_etl.engines.parcel import Parcel
from airflow_provider_etl.engines.target import Target
from spark_jobs import session
from spark_jobs.errors import ConfigError

_SHOWN: Final = 16  # characters of a token in an application's name
_DRIVER: Final = "spark.driver.extraJavaOptions"
_CLASSES: Final = "spark.driver.extraClassPath"
_ODD: Final = re.compile(r"[\\\s:=#!]")


def spark_home(environment: Mapping[str, str]) -> str:
    """The Spark whose client submits: SPARK_HOME, else that of the package pyspark.

    Raises:
        ConfigError: there is none.
    """
    if environment.get("SPARK_HOME"):
        return environment["SPARK_HOME"]
    found = importlib.util.find_spec("pyspark")
    if found is None or not found.origin:
        raise ConfigError(
            "there is no spark-submit",
            where="engine spark_submit",
            expected="the package pyspark, or SPARK_HOME",
            remedy="pip install 'airflow-provider-etl[spark]'",
        )
    return str(Path(found.origin).parent)


def name_of(plan: Mapping[str, Any], token: str) -> str:
    """The application's name on the cluster: the pipeline, and the token that it is found by."""
    first = (plan.get("plans") or [plan])[0]
    return f"{first.get('pipeline', 'etl')} etl-{token[:_SHOWN]}"


def settings(engine: Mapping[str, Any], target: Target, scratch: str | None = None) -> dict[str, str]:
    """Spark's settings for a job on a cluster.

    Args:
        engine: the plan's `spark`.
        target: where it goes.
        scratch: the driver's folder for what it puts aside, where it runs here.

    Raises:
        ConfigError: the folder holds no Delta jars.
    """
    conf = {key: str(value) for key, value in (engine.get("conf") or {}).items()}
    if scratch:
        aside = session.option(f"-Djava.io.tmpdir={scratch}")
        conf[_DRIVER] = " ".join(filter(None, [aside, conf.get(_DRIVER, "")]))
    given = _placed(target) | _limited(conf, target)
    return {**given, **session.settings({**engine, "conf": conf, "archive": None})}


def _placed(target: Target) -> dict[str, str]:
    """Where on the cluster it runs."""
    said = {
        "spark.yarn.queue": target.queue,
        "spark.kubernetes.namespace": target.namespace,
        "spark.kubernetes.container.image": target.image,
        "spark.pyspark.python": target.python,
        "spark.driver.host": "127.0.0.1" if target.here else None,
        "spark.driver.bindAddress": "127.0.0.1" if target.here else None,
    }
    return {key: value for key, value in said.items() if value}


def _limited(conf: Mapping[str, str], target: Target) -> dict[str, str]:
    """A standalone master counts cores and no executors: without a limit an application takes all that there are."""
    dynamic = conf.get("spark.dynamicAllocation.enabled") == "true"
    key = "spark.dynamicAllocation.maxExecutors" if dynamic else "spark.executor.instances"
    executors, cores = conf.get(key, ""), conf.get("spark.executor.cores", "1")
    if not target.hosts or not executors.isdecimal() or not cores.isdecimal():
        return {}
    return {"spark.cores.max": str(int(executors) * int(cores))}


def arguments(target: Target, name: str, properties: Path, parcel: Parcel, conf: Mapping[str, str]) -> list[str]:
    """The arguments of `spark-submit` up to the application, which runs beside whoever calls it.

    Args:
        target: where it goes.
        name: the application's name.
        properties: the file with the settings.
        parcel: the packages and the application.
        conf: the settings; the jars of the driver's class path go to the executors.
    """
    jars = filter(None, [*conf.get(_CLASSES, "").split(":"), *conf.get("spark.jars", "").split(",")])
    named = ",".join(dict.fromkeys(jars))
    return [
        *("--master", target.master, "--deploy-mode", "client", "--name", name),
        *("--properties-file", str(properties), "--load-spark-defaults"),
        *("--py-files", str(parcel.packages)),
        *(("--jars", named) if named else ()),
        str(parcel.entry),
    ]


def write_properties(path: Path, conf: Mapping[str, str]) -> None:
    """Write settings to a file that only this user may read, in the form of java.util.Properties."""
    lines = [f"{_escaped(key)}={_value(value)}\n" for key, value in sorted(conf.items())]
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.writelines(lines)


def _escaped(text: str) -> str:
    return _ODD.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def _value(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
