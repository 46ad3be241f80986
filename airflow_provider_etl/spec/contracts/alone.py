"""Contract files that a person names, with no pipeline around them."""

from __future__ import annotations

import codecs
import os
import re
import stat
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from airflow_provider_etl.spec.contracts import odcs
from airflow_provider_etl.spec.contracts.contract import Contract, items_of
from airflow_provider_etl.spec.contracts.language import ContractUse
from airflow_provider_etl.spec.contracts.opening import as_it_is, contract_of
from airflow_provider_etl.spec.diagnostics import Diagnostic
from airflow_provider_etl.spec.environment import load_environment
from airflow_provider_etl.spec.nodes import MapNode, ScalarNode
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.reader import MAX_BYTES, read_file
from airflow_provider_etl.spec.reading import Reading

_CONTRACT: Final = re.compile(rb"^[\"']?(?:columns[\"']? *:|kind[\"']? *: *[\"']?DataContract)", re.MULTILINE)
_PIPELINE: Final = re.compile(rb"^[\"']?(?:extract|load|transform|schedule)[\"']? *:", re.MULTILINE)
_BASE: Final = re.compile(rb"^[\"']?extends[\"']? *: *[\"']?([^\"'#\r\n]+)", re.MULTILINE)
_DEEPEST: Final = 10  # bases of bases


def is_contract(path: Path, deep: int = 0) -> bool:
    """Whether a file is a contract, by its keys or its base's: in a folder of pipelines it is none of them.

    Args:
        path: the file.
        deep: how many files extend it.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would never end
            return False
        with path.open("rb") as file:
            text = file.read(MAX_BYTES).removeprefix(codecs.BOM_UTF8)
    except (OSError, ValueError):
        return False
    if _CONTRACT.search(text) or _PIPELINE.search(text):
        return _PIPELINE.search(text) is None
    base = _BASE.search(text)
    named = base[1].decode("utf-8", "replace").strip() if base else ""
    return bool(named) and deep < _DEEPEST and is_contract(path.parent / named, deep + 1)


def without_contracts(paths: Sequence[Path]) -> list[Path]:
    """Files without the contracts that share their name with another one: `contracts/orders.yaml` takes no DAG's id.

    Others aren't looked into: whoever reads one finds out whether it is a pipeline.

    Args:
        paths: the files.
    """
    alike = Counter(path.stem for path in paths)
    return [path for path in paths if alike[path.stem] == 1 or not is_contract(path)]


def read_contracts(path: Path, environment: str | None) -> tuple[dict[str, Contract], tuple[Diagnostic, ...]]:
    """The contracts of a file, by the names of their schemas, and what is wrong with them.

    Args:
        path: the file; a file in our own form is one contract, whose name is empty.
        environment: as for `load_file`; its project folder is what `extends` may not leave.
    """
    problems = Problems()
    node = read_file(str(path), problems)
    found: dict[str, Contract] = {}
    if node is None:
        return found, problems.sorted()
    reading = Reading(problems=problems, substitute=as_it_is)
    for schema in _schemas(node) or [None]:
        use = ContractUse(file=str(path), schema=schema)
        contract = contract_of(use, os.path.normpath(path), within=_project(path, environment), reading=reading)
        if contract is not None:
            found[schema or ""] = contract
    return found, problems.sorted()


def _schemas(node: object) -> list[str | None]:
    if not isinstance(node, MapNode) or not odcs.speaks(node):
        return []
    named = [item.get("name") for item in items_of(node.get("schema")) if isinstance(item, MapNode)]
    return [item.text for item in named if isinstance(item, ScalarNode)]


def _project(path: Path, environment: str | None) -> Path:
    found = load_environment(environment, path.absolute().parent)
    known = None if isinstance(found, str) else found.environment
    return known.project if known is not None else path.absolute().parent
