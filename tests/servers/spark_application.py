"""What the Spark operator takes of a `SparkApplication`: the fields that we send, closed against all others.

Types, bounds and values are those of the operator's resource definition, v1beta2 of release 2.5; what its webhook
refuses beside is `refused`. ETL_SPARK_CRD names the operator's own definition (a YAML file), for a test by all of it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

_TEXT: Final[dict[str, Any]] = {"type": "string"}
_TEXTS: Final[dict[str, Any]] = {"type": "array", "items": _TEXT}
_MAP: Final[dict[str, Any]] = {"type": "object", "additionalProperties": _TEXT}
_COUNT: Final[dict[str, Any]] = {"type": "integer", "minimum": 1}
_DENIED: Final = re.compile(
    r"spark\.master|spark\.kubernetes\.(driver\.master|authenticate\..*|((driver|executor)\.)?container\.image)"
)
_NAME: Final = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")


def _object(needed: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(needed), "properties": properties, "additionalProperties": False}


_POD: Final[dict[str, Any]] = {
    "cores": _COUNT,
    "memory": _TEXT,
    "serviceAccount": _TEXT,
    "nodeSelector": _MAP,
    "tolerations": {
        "type": "array",
        "items": _object(key=_TEXT, operator=_TEXT, value=_TEXT, effect=_TEXT),
    },
    "secrets": {
        "type": "array",
        "items": _object(("name", "path", "secretType"), name=_TEXT, path=_TEXT, secretType=_TEXT),
    },
}
_SPEC: Final = _object(
    ("driver", "executor", "mainApplicationFile", "sparkVersion", "type"),
    type={"enum": ["Java", "Python", "Scala", "R"]},
    mode={"enum": ["cluster", "client"]},
    pythonVersion={"enum": ["2", "3"]},
    sparkVersion=_TEXT,
    image=_TEXT,
    mainApplicationFile=_TEXT,
    arguments=_TEXTS,
    sparkConf=_MAP,
    deps=_object(pyFiles=_TEXTS),
    restartPolicy=_object(type={"enum": ["Never", "Always", "OnFailure"]}),
    timeToLiveSeconds={"type": "integer"},
    driver=_object(**_POD),
    executor=_object(instances=_COUNT, **_POD),
)
_RESOURCE: Final = _object(
    ("metadata", "spec"),
    apiVersion={"const": "sparkoperator.k8s.io/v1beta2"},
    kind={"const": "SparkApplication"},
    metadata=_object(("name",), name=_TEXT, namespace=_TEXT, labels=_MAP),
    spec=_SPEC,
)


def refused(body: Mapping[str, Any]) -> str:
    """Why the operator refuses a resource; empty where it takes it."""
    import jsonschema

    problems = sorted(jsonschema.Draft202012Validator(_schema()).iter_errors(body), key=str)
    if problems:
        return "; ".join(f"{problem.json_path}: {problem.message}" for problem in problems)
    if not _NAME.fullmatch(body["metadata"]["name"]):
        return "its name is no DNS-1035 label"
    for key in body["spec"].get("sparkConf", {}):
        if _DENIED.fullmatch(key):
            return f"sparkConf key {key!r} is not allowed"
    return ""


@cache
def _schema() -> dict[str, Any]:
    whole = os.environ.get("ETL_SPARK_CRD")
    if not whole:
        return _RESOURCE
    [version] = yaml.load(Path(whole).read_text(), yaml.CSafeLoader)["spec"]["versions"]
    return dict(_closed(version["schema"]["openAPIV3Schema"], metadata=True))


def _closed(part: Any, *, metadata: bool = False) -> Any:
    """A structural schema that refuses what Kubernetes would prune without a word."""
    if isinstance(part, list):
        return [_closed(item) for item in part]
    if not isinstance(part, dict):
        return part
    closed = {key: _closed(value) for key, value in part.items()}
    if "properties" in part and isinstance(part["properties"], dict) and part.get("type") == "object":
        closed["additionalProperties"] = part.get("additionalProperties", False)
        if metadata:
            closed["properties"]["metadata"] = {"type": "object"}
    return closed
