"""A job as the Spark operator takes it: a resource `SparkApplication`.

Its fields are those of the operator's API, version v1beta2
(https://github.com/kubeflow/spark-operator/blob/master/docs/api-docs.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from airflow_provider_etl.engines.kube import API, MOUNTED, OURS
from spark_jobs.errors import ConfigError

_KEPT: Final = 3 * 86400  # seconds for which the operator keeps what has ended


@dataclass(frozen=True, kw_only=True)
class Code:
    """What the driver runs.

    Args:
        script: URI of the script.
        packages: URI of the zip with `spark_jobs`; empty where the image has it.
        arguments: of the script; none of them is secret.
        has_secret: whether a secret of the application's name is mounted in the driver.
    """

    script: str
    packages: str
    arguments: Sequence[str]
    has_secret: bool


def spark_application(
    name: str, code: Code, conf: Mapping[str, str], options: Mapping[str, Any], owner: str
) -> dict[str, Any]:
    """A resource that is run once and never again by itself.

    Args:
        name: its name, at most 63 characters.
        code: what the driver runs.
        conf: Spark's settings; the sizes among them become the pods'.
        options: the engine's.
        owner: label by which the resources of one task instance are found.

    Raises:
        ConfigError: a size that is no number.
    """
    labels = {"app.kubernetes.io/managed-by": OURS, f"{OURS}/owner": owner}
    rest = dict(conf)
    spec = {
        "type": "Python",
        "mode": "cluster",
        "pythonVersion": "3",
        "sparkVersion": str(options["spark"]),
        "image": options["image"],
        "mainApplicationFile": code.script,
        "arguments": list(code.arguments),
        "restartPolicy": {"type": "Never"},  # Airflow retries: the operator would, behind its back
        "timeToLiveSeconds": _KEPT,
        "driver": _driver(rest, options, name if code.has_secret else ""),
        "executor": _executor(rest, options),
        "sparkConf": rest,  # without the sizes, which are taken out by now
    }
    if code.packages:
        spec["deps"] = {"pyFiles": [code.packages]}
    meta = {"name": name, "namespace": options["namespace"], "labels": labels}
    return {"apiVersion": API, "kind": "SparkApplication", "metadata": meta, "spec": spec}


def _driver(conf: dict[str, str], options: Mapping[str, Any], secret: str) -> dict[str, Any]:
    pod = _pod(conf, "driver", options, options.get("node_selector"), options.get("tolerations"))
    return pod | ({"secrets": [{"name": secret, "path": MOUNTED, "secretType": "Generic"}]} if secret else {})


def _executor(conf: dict[str, str], options: Mapping[str, Any]) -> dict[str, Any]:
    selector, tolerations = dict(options.get("node_selector") or {}), list(options.get("tolerations") or ())
    if options.get("spot"):
        selector |= options["spot_nodes"]
        tolerations += options.get("spot_tolerations") or ()
    pod = _pod(conf, "executor", options, selector, tolerations)
    many = _taken(conf, "spark.executor.instances")
    return pod | ({"instances": many} if many else {})


def _pod(
    conf: dict[str, str], role: str, options: Mapping[str, Any], selector: Any, tolerations: Any
) -> dict[str, Any]:
    told = {
        "cores": _taken(conf, f"spark.{role}.cores"),
        "memory": conf.pop(f"spark.{role}.memory", None),
        "serviceAccount": options.get("service_account"),
        "nodeSelector": dict(selector or {}),
        "tolerations": [dict(item) for item in tolerations or ()],
    }
    return {key: value for key, value in told.items() if value}


def _taken(conf: dict[str, str], key: str) -> int | None:
    """A setting that is a number of the resource's own; it is taken out of the settings."""
    text = conf.pop(key, None)
    if text is not None and not text.isdecimal():
        raise ConfigError(f"{key} is {text!r}", where="engine kubernetes", expected="a whole number")
    return int(text) if text else None
