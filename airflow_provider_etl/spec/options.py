"""The provider's options, section `[etl]` of Airflow's configuration, read as a plain file: no Airflow is imported.

As in Airflow an environment variable (`AIRFLOW__ETL__STRICT`) wins over `airflow.cfg`; lists are separated by commas.
What Airflow takes from a command or from a secrets backend (`…_cmd`, `…_secret`) isn't asked: nothing here is a secret.
`docs/options.md` describes them.
"""

from __future__ import annotations

import configparser
import functools
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from airflow_provider_etl.spec.paths import absolute, is_uri
from spark_jobs.allowing import allows
from spark_jobs.errors import ConfigError

NAMES: Final = ("environment", "pipelines_folder", "strict", "allowed_roots", "allowed_python")
_VARIABLES: Final = tuple(f"AIRFLOW__ETL__{name.upper()}" for name in NAMES)
_BOOLS: Final = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
_MODULE: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a deployment decides.

    Args:
        environment: name or path of the environment; empty where nothing is configured.
        pipelines_folder: where `load_pipelines` looks, relative to the file that calls it.
        strict: whether a warning about a pipeline file keeps its DAG away, as an error does.
        allowed_roots: absolute folders and URIs; every root of an environment lies under one. Empty: no bound.
        allowed_python: modules, with all below them, from which python steps may come. Empty: none.
    """

    environment: str = ""
    pipelines_folder: str = "pipelines"
    strict: bool = False
    allowed_roots: tuple[str, ...] = ()
    allowed_python: tuple[str, ...] = ()

    def allows_python(self, module: str) -> bool:
        """Whether python steps may come from a module: it is one of `allowed_python`, or lies below one."""
        return allows(module, self.allowed_python)


def options() -> Options:
    """The options as they are now.

    Raises:
        ConfigError: an option has a value that means nothing; it names the option.
    """
    return _options(*_airflow_cfg(), *map(os.environ.get, _VARIABLES))


def _airflow_cfg() -> tuple[str, int]:
    path = os.environ.get("AIRFLOW_CONFIG") or (os.environ.get("AIRFLOW_HOME") or "~/airflow") + "/airflow.cfg"
    if path.startswith("~"):
        path = str(Path(path).expanduser())
    try:
        # Asked twice per pipeline file: a text is quicker than a path.
        return path, os.stat(path).st_mtime_ns  # noqa: PTH116
    except OSError:
        return path, 0


@functools.lru_cache(maxsize=8)
def _options(path: str, changed: int, *variables: str | None) -> Options:
    texts = _configured(path) if changed else {}
    texts |= {name: value for name, value in zip(NAMES, variables, strict=True) if value}
    given = {name: text.strip() for name, text in texts.items() if text.strip()}
    return Options(
        environment=given.get("environment", ""),
        pipelines_folder=given.get("pipelines_folder", Options.pipelines_folder),
        strict=_boolean("strict", given.get("strict", "false")),
        allowed_roots=tuple(_root(item) for item in _items(given.get("allowed_roots", ""))),
        allowed_python=tuple(_module(item) for item in _items(given.get("allowed_python", ""))),
    )


def _configured(path: str) -> dict[str, str]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return {}  # Airflow itself tells what is wrong with its file
    return {name: parser.get("etl", name, fallback="") for name in NAMES}


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _boolean(name: str, text: str) -> bool:
    if text.lower() not in _BOOLS:
        raise ConfigError(f"{text!r} is neither true nor false", where=f"option [etl] {name}", expected="True or False")
    return _BOOLS[text.lower()]


def _root(text: str) -> str:
    # A relative one would start from a folder that the author of a pipeline file may choose.
    if not is_uri(text) and not Path(text).is_absolute():
        raise ConfigError(
            f"{text!r} is a relative path",
            where="option [etl] allowed_roots",
            expected="absolute folders and URIs, separated by commas",
        )
    return absolute(text, Path("/"))


def _module(text: str) -> str:
    if not _MODULE.fullmatch(text):
        raise ConfigError(
            f"{text!r} is no name of a module",
            where="option [etl] allowed_python",
            expected="names such as company.etl, separated by commas",
        )
    return text
