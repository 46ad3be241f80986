"""The requests and answers of Databricks' REST API that we use, as JSON Schemas: made from its public SDK.

`python -m tests.servers.databricks_api` writes databricks_api.json anew; it needs the package databricks-sdk, whose
dataclasses and signatures (Apache-2.0) say which fields there are. Classes that we use nothing of may be anything.
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
import json
import typing
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).with_suffix(".json")
_METHODS: Final = {
    "POST 2.2/jobs/runs/submit": ("jobs.JobsAPI", "submit"),
    "GET 2.2/jobs/runs/list": ("jobs.JobsAPI", "list_runs"),
    "GET 2.2/jobs/runs/get": ("jobs.JobsAPI", "get_run"),
    "POST 2.2/jobs/runs/cancel": ("jobs.JobsAPI", "cancel_run"),
    "POST 2.0/secrets/put": ("workspace.SecretsAPI", "put_secret"),
    "POST 2.0/secrets/delete": ("workspace.SecretsAPI", "delete_secret"),
    "POST 2.0/secrets/scopes/create": ("workspace.SecretsAPI", "create_scope"),
}
_ANSWERS: Final = ("jobs.Run", "jobs.ListRunsResponse", "jobs.SubmitRunResponse", "files.ListDirectoryResponse")
_USED: Final = (
    *("SubmitTask", "SparkPythonTask", "QueueSettings", "ClusterSpec", "AutoScale", "AwsAttributes"),
    *("AzureAttributes", "GcpAttributes", "Library", "MavenLibrary", "PythonPyPiLibrary", "BaseRun", "RunStatus"),
    *("TerminationDetails", "DirectoryEntry", "Run", "ListRunsResponse", "SubmitRunResponse", "ListDirectoryResponse"),
)
_PLAIN: Final = {str: "string", bool: "boolean", int: "integer", float: "number"}


def _of(hint: Any, known: dict[str, Any]) -> Any:
    """The schema of a type; classes end up in `known`."""
    origin, inner = typing.get_origin(hint), [item for item in typing.get_args(hint) if item is not type(None)]
    if origin is typing.Union:
        return _of(inner[0], known)
    if origin is list:
        return {"type": "array", "items": _of(inner[0], known)}
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return {"enum": [item.value for item in hint]}
    if dataclasses.is_dataclass(hint) and hint.__name__ in _USED:  # type: ignore[union-attr]
        return _class(hint, known)
    return {"type": "object"} if origin is dict or dataclasses.is_dataclass(hint) else {}


def _class(found: Any, known: dict[str, Any]) -> Any:
    name = found.__name__
    if name not in known:
        known[name] = {}
        hints = typing.get_type_hints(found)
        needed = [item.name for item in dataclasses.fields(found) if item.default is dataclasses.MISSING]
        known[name].update(_object({item.name: hints[item.name] for item in dataclasses.fields(found)}, needed, known))
    return {"$ref": f"#/$defs/{name}"}


def _object(hints: dict[str, Any], needed: list[str], known: dict[str, Any]) -> dict[str, Any]:
    properties = {name: _of(hint, known) for name, hint in hints.items()}
    return {"type": "object", "properties": properties, "required": needed, "additionalProperties": False}


def _method(found: Any, known: dict[str, Any]) -> dict[str, Any]:
    hints, said = typing.get_type_hints(found), inspect.signature(found).parameters
    names = [name for name in said if name != "self"]
    needed = [name for name in names if said[name].default is inspect.Parameter.empty]
    return _object({name: hints[name] for name in names}, needed, known)


def main() -> None:
    """Write the file."""
    from importlib import import_module

    known: dict[str, Any] = {}

    def named(path: str) -> Any:
        module, _, name = path.partition(".")
        return getattr(import_module(f"databricks.sdk.service.{module}"), name)

    requests = {call: _method(getattr(named(path), name), known) for call, (path, name) in _METHODS.items()}
    for path in _ANSWERS:
        _class(named(path), known)
    told = {"made of": f"databricks-sdk {version('databricks-sdk')}", "requests": requests, "$defs": known}
    FILE.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
