"""`lint PATH…`: every diagnostic of every file."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from airflow_provider_etl.spec import Clashes, Diagnostic, Loaded, duplicate_names, find_files, folder, load_file, waits
from airflow_provider_etl.spec.contracts import across
from airflow_provider_etl.spec.contracts.alone import is_contract, read_contracts
from airflow_provider_etl.spec.diagnostics import did_you_mean
from airflow_provider_etl.spec.files import RULE, TESTS, left_out
from airflow_provider_etl.spec.ignores import kept, useless
from spark_jobs.errors import ConfigError

NAME: Final = "lint"
HELP: Final = "check pipeline files and report everything that is wrong with them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("paths", nargs="*", default=[], metavar="PATH", help="pipeline files, or folders that hold some")
    what.add_argument("--explain", metavar="CODE", help="say why a code is told, with an example, and how to mend it")
    parser.epilog = RULE
    parser.add_argument("--format", choices=("text", "json", "github"), default="text", help="how diagnostics are told")


def execute(options: argparse.Namespace) -> int:
    """Report every diagnostic; 1 where there is an error. Or explain a code."""
    if options.explain:
        return _explain(options.explain)
    paths, empty = files_of(options.paths)
    found = diagnostics_of(paths, empty, options)
    _tell(found, len(paths), options.format)
    return 1 if any(item.severity == "error" for item in found) else 0


def _explain(code: str) -> int:
    from airflow_provider_etl.spec.catalogue import RULES
    from airflow_provider_etl.spec.reference.rules_page import explained

    if code not in RULES:
        raise ConfigError(
            f"there is no code {code!r}", expected="one that lint tells", remedy=did_you_mean(code, RULES)
        )
    print(explained(RULES[code]))
    return 0


def diagnostics_of(paths: Sequence[Path], empty: Sequence[Diagnostic], options: argparse.Namespace) -> list[Diagnostic]:
    """Everything that is wrong with files, by place.

    Args:
        paths: the files.
        empty: what is wrong with the paths themselves.
        options: has `paths` and `environment`.
    """
    tests = [path for path in paths if path.name.endswith(TESTS)]
    contracts = [path for path in paths if path not in tests and is_contract(path)]
    named = [path for path in paths if path not in tests and path not in contracts]
    files = [load_file(path, environment=options.environment, expressions=True) for path in named]
    complete = any(Path(item).is_dir() for item in options.paths)
    clashes = Clashes()
    shared = [item for file in files for item in clashes.told(file)]
    between = [
        *shared,
        *folder.across(files, complete=complete),
        *waits.across(files, whole=complete),
        *across.told(files),
    ]
    tested = [item for path in tests for item in _of_tests(path, options.environment)]
    tested += [item for path in contracts for item in read_contracts(path, options.environment)[1]]
    return sorted(dict.fromkeys([*empty, *tested, *duplicate_names(named), *_told(files, between)]))


def _told(files: Sequence[Loaded], between: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
    """What the files' comments leave, and the comments that there is no need for."""
    for file in files:
        shared = [item for item in between if item.path == file.path]
        yield from (*file.diagnostics, *kept(shared, file.ignored))
        yield from useless(file.path, file.ignored, [*file.diagnostics, *file.spared, *shared])


def _of_tests(path: Path, environment: str | None) -> tuple[Diagnostic, ...]:
    """The diagnostics of a test file that is named, as far as its pipeline has no errors."""
    from airflow_provider_etl.testing.cases import load_cases, orphaned, pipeline_file_of

    tested = pipeline_file_of(path)
    if tested is None:
        return (orphaned(path),)
    loaded = load_file(tested, environment=environment, expressions=True)
    return load_cases(path, loaded.pipeline).diagnostics if loaded.pipeline else loaded.diagnostics


def files_of(given: Sequence[str]) -> tuple[list[Path], list[Diagnostic]]:
    """The files of the paths given, each once; a folder without any is an error, not a success."""
    paths: list[Path] = []
    empty: list[Diagnostic] = []
    for item in given:
        path = Path(item)
        below = find_files(path) if path.is_dir() else [path]
        paths += below
        empty += left_out(path) if path.is_dir() else []
        if not below:
            message, hint = (
                "the folder holds no pipeline file",
                "*.yaml and *.yml are read; lint --help says which aren't",
            )
            empty.append(Diagnostic(path=item, line=1, column=1, code="no-files", message=message, hint=hint))
    return list(dict.fromkeys(paths)), empty


def _tell(found: list[Diagnostic], files: int, form: str) -> None:
    if form == "json":
        print(json.dumps([item.to_json() for item in found], indent=2))
        return
    for item in found:
        print(_github(item) if form == "github" else item)
    if form == "text":
        errors = sum(item.severity == "error" for item in found)
        print(f"{_counted(files, 'file')}: {_counted(errors, 'error')}, {_counted(len(found) - errors, 'warning')}")


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _github(item: Diagnostic) -> str:
    """A workflow command of GitHub Actions; its own characters are escaped as the runner wants it."""
    text = f"{item.key}: {item.message}" if item.key else item.message
    text = f"{text}; {item.hint}" if item.hint else text
    place = f"file={_escaped(item.path, ',:')},line={item.line},col={item.column},title={item.code}"
    return f"::{item.severity} {place}::{_escaped(text)}"


def _escaped(text: str, more: str = "") -> str:
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text
