"""Pages about checks, drawn by Great Expectations' own renderer of Data Docs; and an index of them, drawn here."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from html import escape
from importlib.metadata import version
from typing import Any, Final

from spark_jobs.check.gx_query import CONDITION, PARSER
from spark_jobs.check.gx_run import demand

# What has no expectation's name is drawn as the one that has words of its own.
_OTHERS: Final = "unexpected_rows_expectation"
_QUERY: Final = {"unexpected_rows_query": "SELECT * FROM {batch}"}
# The page takes styles and signs from the web; where it can't be reached, what passed and failed is seen all the same.
_STYLE: Final = """<head>
    <style>
      body { font-family: sans-serif } td, th { padding: .2em .8em }
      .fa-check-circle::before { content: "\\2713"; color: #1b7a35 }
      .fa-times::before { content: "\\2717"; color: #b00020 }
    </style>"""
# Its links are those of Great Expectations' own site: pages in other places, and one of the suite, which isn't drawn.
_HOME: Final = re.compile(r"(?:\.\./)+index\.html")
_SUITE: Final = re.compile(r'href="(?:\.\./)+expectations/[^"]*"')
# What a name or a value of rows may hold and HTML would read: other characters while Great Expectations draws, which
# quotes nothing (signs of Linear A: letters to whatever prints them), and what stands for them on the page then.
_MARKUP: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"}
_HIDDEN: Final = {ord(sign): chr(0x10600 + place) for place, sign in enumerate(_MARKUP)}
_SHOWN: Final = {ord(chr(0x10600 + place)): text for place, text in enumerate(_MARKUP.values())}
_INDEX: Final = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font-family: sans-serif; margin: 2em; color: #222 }} table {{ border-collapse: collapse }}
td, th {{ padding: .3em 1em; border-bottom: 1px solid #ddd; text-align: left }} .failed {{ color: #b00020 }}
.warned {{ color: #a65e00 }} .passed {{ color: #1b7a35 }}</style></head>
<body><h1>{title}</h1><table><tr><th>window</th><th>dataset</th><th>checks</th></tr>
{rows}
</table></body></html>
"""


def page(title: str, window: Mapping[str, str], results: Sequence[Mapping[str, Any]]) -> str:
    """The page (HTML) of one dataset's checks in one run.

    Args:
        title: what stands above it.
        window: `key` and `start`, as a report has them.
        results: as `check.gx.validation_results` gives them.

    Raises:
        ConfigError: Great Expectations isn't installed.
    """
    demand("data_docs")
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
    from great_expectations.render.view.view import DefaultJinjaPageView

    view: Any = DefaultJinjaPageView()
    drawn: Any = ValidationResultsPageRenderer(run_info_at_end=True)
    text = str(view.render(drawn.render(_suite(_hidden(title), _hidden(window), [_quoted(item) for item in results]))))
    text = _SUITE.sub('href="#section-1"', _HOME.sub("../index.html", text))
    return text.replace("<head>", _STYLE, 1).translate(_SHOWN)


def _hidden(value: Any) -> Any:
    """A value of JSON in which no text is markup."""
    if isinstance(value, Mapping):
        return {_hidden(key): _hidden(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_hidden(item) for item in value]
    return value.translate(_HIDDEN) if isinstance(value, str) else value


def _quoted(item: Mapping[str, Any]) -> Any:
    """A result in which no text is markup; its condition is words, because as such Great Expectations can't read it."""
    config = item["expectation_config"]
    # That none need pass, since those that don't are set aside, would be drawn as "at least 0 % of the time".
    unsaid = {PARSER, "mostly"} if not config["kwargs"].get("mostly", 1) else {PARSER}
    kwargs = {key: value for key, value in config["kwargs"].items() if key not in unsaid}
    if CONDITION in kwargs:
        kwargs[CONDITION] = _words(kwargs[CONDITION])
    return _hidden({**item, "expectation_config": {**config, "kwargs": kwargs}})


def _words(condition: Any) -> str:
    """A condition of Great Expectations' own form, in words."""
    if not isinstance(condition, Mapping):
        return str(condition)
    kind, column = condition.get("type"), (condition.get("column") or {}).get("name")
    if kind in {"and", "or"}:
        return "(" + f" {kind} ".join(map(_words, condition.get("conditions") or [])) + ")"
    if kind == "nullity":
        return f"{column} is {'null' if condition.get('is_null') else 'not null'}"
    passed = condition.get("pass_through_filter")
    return str(passed) if passed else f"{column} {condition.get('operator')} {condition.get('parameter')!r}"


def suite_result(title: str, window: Mapping[str, str], results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """All results as Great Expectations 1.x writes them as JSON (`ExpectationSuiteValidationResult`).

    Args:
        title: of the suite.
        window: `key` and `start`, as a report has them.
        results: as `check.gx.validation_results` gives them.
    """
    passed = sum(bool(item["success"]) for item in results)
    meta: Any = {
        "great_expectations_version": version("great_expectations"),
        "run_id": {"run_name": f"window {window['key']}", "run_time": window["start"]},
        "batch_spec": {"data_asset_name": title},
        "active_batch_definition": {"data_asset_name": title, "batch_identifiers": {"window": window["key"]}},
    }
    statistics: Any = {
        "evaluated_expectations": len(results),
        "successful_expectations": passed,
        "unsuccessful_expectations": len(results) - passed,
        "success_percent": 100 * passed / len(results) if results else None,
    }
    return {
        "success": all(item["success"] or _only_warns(item) for item in results),
        "results": list(results),
        "suite_name": title,
        "suite_parameters": {},
        "statistics": statistics,
        "meta": meta,
        "id": None,
    }


def _suite(title: str, window: Mapping[str, str], results: Sequence[Mapping[str, Any]]) -> Any:
    """All results as Great Expectations' own."""
    from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResult

    told = suite_result(title, window, results)
    return ExpectationSuiteValidationResult(**told | {"results": [_result(item) for item in results]})


def _only_warns(item: Mapping[str, Any]) -> bool:
    return bool(item["expectation_config"].get("meta", {}).get("on_fail") == "warn")


def _result(item: Mapping[str, Any]) -> Any:
    from great_expectations.core.expectation_validation_result import ExpectationValidationResult
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    config = dict(item["expectation_config"])
    if not _drawn(config):
        told = ", ".join(f"{key}: {value}" for key, value in config["kwargs"].items())
        config |= {"type": _OTHERS, "kwargs": _QUERY, "description": f"{config['type']}: {told}"}
    return ExpectationValidationResult(**{**item, "expectation_config": ExpectationConfiguration(**config)})


def _drawn(config: Mapping[str, Any]) -> bool:
    """Whether Great Expectations has words for it.

    Its classes refuse arguments that its JSON may have, such as texts as bounds, and then there would be no page.
    """
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    if not config["type"].startswith("expect_"):
        return bool(config["type"] == _OTHERS)
    try:
        ExpectationConfiguration(**config).to_domain_obj()
    except Exception:  # noqa: BLE001 - pydantic's, its own, or what its validators raise: it is drawn as its options
        return False
    return True


def index(title: str, windows: Mapping[str, Mapping[str, Mapping[str, int]]]) -> str:
    """The page (HTML) that lists the windows.

    Args:
        title: what stands above it.
        windows: window -> dataset -> {passed, warned, failed}.
    """
    rows = [_row(key, name, counts) for key, found in windows.items() for name, counts in found.items()]
    return _INDEX.format(title=escape(title), rows="\n".join(rows))


def _row(key: str, name: str, counts: Mapping[str, int]) -> str:
    worst = next((word for word in ("failed", "warned") if counts.get(word)), "passed")
    told = ", ".join(f"{number} {word}" for word, number in counts.items() if number)
    where = f"{escape(key, quote=True)}/{escape(name, quote=True)}.html"
    link = f'<a href="{where}">{escape(name)}</a>'
    return f'<tr><td>{escape(key)}</td><td>{link}</td><td class="{worst}">{escape(told)}</td></tr>'
