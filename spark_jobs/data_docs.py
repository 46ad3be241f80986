"""Data Docs: a page for each window and dataset, and an index of the windows, in a folder of each pipeline.

They are for people: whatever goes wrong with them is told beside the run and never decides it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from spark_jobs.check.gx import validation_results
from spark_jobs.docs_page import index, page, suite_result
from spark_jobs.errors import EtlError
from spark_jobs.failures import first_line
from spark_jobs.report import CheckResult

SUMMARY: Final = "summary.json"
INDEX: Final = "index.html"
MOST: Final = 200
"""Windows that the index lists, the newest ones."""


class Folder(Protocol):
    """Where pages are written."""

    def names(self, folder: str) -> list[tuple[str, int]]:
        """(name, anything) of what is in a folder; empty where there is none."""

    def read(self, path: str) -> str:
        """Read a text file."""

    def write(self, path: str, text: str) -> None:
        """Write a text file whole."""


@dataclass(frozen=True, kw_only=True)
class Docs:
    """The Data Docs of one run.

    Args:
        folder: folder or URI of all pipelines' pages.
        pipeline: the pipeline's name, and `id` what its folder is called.
        window: `key`, `start` and `end`, as a report has them.
        checks: dataset -> `(name of the kind, kind)`, in the order of the file.
        notes: dataset -> place of a check -> what its author notes beside it.
    """

    folder: str
    pipeline: str
    id: str
    window: Mapping[str, str]
    checks: Mapping[str, Sequence[tuple[str, Any]]]
    notes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def told(self, results: Iterable[CheckResult], storage: Callable[[], Folder]) -> dict[str, Any]:
        """Write the pages, and say what became of them; nothing is raised.

        Args:
            results: the report's, of all datasets.
            storage: opens what writes them; it may fail too.

        Returns:
            `state` (written or failed), `pages` (dataset -> path, those that failed first) and `message`: why there are
            none, or why the index doesn't list them.
        """
        pages: dict[str, str] = {}
        try:
            place = storage()
            pages = self.write(list(results), place)
            place.write(f"{self._mine}/{INDEX}", index(self.pipeline, _windows(self._mine, place)))
        except Exception as error:  # noqa: BLE001 - a page that can't be written is told, and decides nothing
            text = str(error) if isinstance(error, EtlError) else first_line(str(error)) or type(error).__name__
            if not pages:
                return {"state": "failed", "pages": {}, "message": text}
            return {"state": "written", "pages": pages, "message": f"the index doesn't list them: {text}"}
        return {"state": "written", "pages": pages, "message": ""}

    @property
    def _mine(self) -> str:
        return f"{self.folder.rstrip('/')}/{self.id}"

    def write(self, results: Sequence[CheckResult], storage: Folder) -> dict[str, str]:
        """Write the pages, and the summary that the index is made of.

        Returns:
            Dataset -> path of its page, datasets that failed first.

        Raises:
            ConfigError: Great Expectations isn't installed.
        """
        mine = self._mine
        summary: dict[str, dict[str, int]] = {}
        for name, checks in self.checks.items():
            answers = [item for item in results if item.dataset == name]
            if not answers:
                continue  # a check of another dataset has stopped the run
            found = validation_results(checks, answers, self.notes.get(name, {}))
            title, file = f"{self.pipeline}: {name}", f"{mine}/{self.window['key']}/{name}"
            storage.write(f"{file}.html", page(title, self.window, found))
            storage.write(f"{file}.json", json.dumps(suite_result(title, self.window, found)))
            summary[name] = counted(answers)
        storage.write(f"{mine}/{self.window['key']}/{SUMMARY}", json.dumps(summary))
        worst = sorted(summary, key=lambda name: not summary[name]["failed"])
        return {name: f"{mine}/{self.window['key']}/{name}.html" for name in worst}


def counted(results: Iterable[CheckResult]) -> dict[str, int]:
    """How many results passed, failed though they only warn, and failed."""
    words = ("passed" if item.success else "warned" if item.on_fail == "warn" else "failed" for item in results)
    return {"passed": 0, "warned": 0, "failed": 0} | Counter(words)


def _windows(folder: str, storage: Folder) -> dict[str, dict[str, dict[str, int]]]:
    """The newest windows that have a page: key -> dataset -> counts."""
    found = {}
    names = (name for name, _ in storage.names(folder) if name != INDEX and not name.endswith(".writing"))
    for key in sorted(names, reverse=True)[:MOST]:
        found[key] = _counts(f"{folder}/{key}/{SUMMARY}", storage)
    return {key: counts for key, counts in found.items() if counts}


def _counts(path: str, storage: Folder) -> dict[str, dict[str, int]]:
    """Dataset -> counts of a summary; nothing where there is none, or one that is being written."""
    try:
        found = json.loads(storage.read(path))
        return {str(name): {word: int(number) for word, number in item.items()} for name, item in found.items()}
    except Exception:  # noqa: BLE001 - whatever is wrong with one window's, the index lists the others
        return {}
