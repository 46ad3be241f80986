"""Bad inputs B42 to B53: pipeline files that are wrong or hostile are told at the place, and nothing of them runs."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest

from spark_jobs.plan import Attempt
from tests.spec.conftest import PIPELINE, Project
from tests.spec.test_variables_and_paths import DAY

DESCRIPTION = "description: Orders, one day a window"
PATH = "${env.raw}/orders/${window.start:%Y-%m-%d}.csv"
SOURCE = f"type: files\n    path: {PATH}\n    format: csv"
BOMB = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
)


def with_(new: str, old: str = DESCRIPTION) -> str:
    """The valid pipeline with one text replaced."""
    assert old in PIPELINE
    return PIPELINE.replace(old, new)


def jdbc(options: str) -> str:
    """The valid pipeline on a table of a database."""
    return with_(f"type: jdbc\n    window: all\n    {options}", SOURCE)


# id: what comes, as text and how the verdicts begin, in the order of the file
CASES: dict[str, tuple[str, list[str]]] = {
    "B42 a boolean": (with_("description: NO"), ["1:14 quote-needed description | NO is a boolean"]),
    "B42 a number": (with_("description: 1.10"), ["1:14 quote-needed description | 1.10 is a number"]),
    "B42 a time": (with_("description: 12:30:45"), ["1:14 quote-needed description | 12:30:45 is a number"]),
    "B42 an octal": (with_("owner: 012"), ["1:8 quote-needed owner | 012 is a number to YAML"]),
    "B43 twice at the top": (with_("owner: a\nowner: b"), ["2:1 duplicate-key owner | "]),
    "B43 twice below": (
        with_("format: csv\n    format: json", "format: csv"),
        ["9:5 duplicate-key extract.orders.format | "],
    ),
    "B44 aliases of aliases": (BOMB, ["6:10 yaml-too-many-values"]),
    "B45 3,000 levels": ("a: " + "[" * 3_000 + "]" * 3_000, ["1:53 yaml-too-deep"]),
    "B45 100,000 levels": ("{a: " * 100_000, ["1:201 yaml-too-deep"]),
    "B45 an alias of itself": ("a: &a [*a]\n", ["1:8 yaml-alias"]),
    "B46 a tag of Python": (
        with_("description: !!python/object/apply:os.system [touch hacked]"),
        ["1:14 wrong-type description", "1:14 yaml-tag description"],
    ),
    "B47 parents": (
        with_("path: ${env.raw}/../../../${window.key}", f"path: {PATH}"),
        ["7:11 path-outside-roots extract.orders.path"],
    ),
    "B47 an absolute path": (
        with_("path: /etc/passwd-${window.key}", f"path: {PATH}"),
        ["7:11 path-outside-roots extract.orders.path"],
    ),
    "B47 a link": (
        with_("path: data/link/${window.key}", f"path: {PATH}"),
        ["7:11 path-outside-roots extract.orders.path"],
    ),
    "B48 a statement behind an expression": (
        with_("amount > 0; DROP TABLE x", "amount > 0"),
        ["11:23 expression-many transform[1].filter"],
    ),
    "B48 a query in an expression": (
        with_("amount > (SELECT max(x) FROM t)", "amount > 0"),
        ["11:13 expression-statement transform[1].filter"],
    ),
    "B48 code in an expression": (
        with_("reflect('java.lang.Runtime', 'getRuntime') = ''", "amount > 0"),
        ["11:13 expression-code transform[1].filter"],
    ),
    "B48 a variable in quotes": (
        with_("sql: SELECT * FROM input WHERE k = '${window.key}'", "filter: amount > 0"),
        ["11:40 variable-quoted transform[1].sql"],
    ),
    "B51 settings of Spark": (
        with_("conf: {spark.driver.extraJavaOptions: -Dx}"),
        ["1:1 unknown-key conf | unknown key 'conf'"],
    ),
    "B51 settings in resources": (
        with_("resources: {conf: {spark.jars: x.jar}}"),
        ["1:13 unknown-key resources.conf"],
    ),
    "B51 an option behind a size": (
        with_('resources: {executor_memory: "8g --jars x"}'),
        ["1:30 invalid-value resources.executor_memory"],
    ),
    "B51 a line behind a size": (
        with_('resources: {executor_memory: "8g\\n--conf a=b"}'),
        ["1:30 invalid-value resources.executor_memory"],
    ),
    "B51 an option for an engine": (with_('engine: "--jars=x.jar"'), ["1:9 unknown-engine engine | "]),
    "B52 a URL in the file": (
        jdbc("connection: crm\n    table: orders\n    url: jdbc:h2:mem:;INIT=RUNSCRIPT"),
        ["10:5 unknown-key extract.orders.url"],
    ),
    "B52 properties in the file": (
        jdbc("connection: crm\n    table: orders\n    properties: {socketFactory: x}"),
        ["10:5 unknown-key extract.orders.properties"],
    ),
    "B52 parameters behind the connection": (
        jdbc("connection: crm?socketFactory=x\n    table: orders"),
        ["8:17 option-conflict extract.orders.connection"],
    ),
    "B08 a mode that drops records": (
        with_("format: csv\n    mode: DROPMALFORMED\n    ignoreCorruptFiles: true", "format: csv"),
        ["9:5 unknown-key extract.orders.mode", "10:5 unknown-key extract.orders.ignoreCorruptFiles"],
    ),
}


@pytest.mark.parametrize(("text", "verdicts"), CASES.values(), ids=CASES)
def test_a_bad_file_is_told_at_its_place_and_makes_no_pipeline(
    project: Project, text: str, verdicts: list[str]
) -> None:
    (project.folder / "data").mkdir()
    (project.folder / "data/link").symlink_to("/etc")
    project.load(PIPELINE)  # the first file of a process waits for its imports: that is not what is measured
    begin = time.process_time()
    told = project.told(text)
    assert time.process_time() - begin < 2
    assert len(told) == len(verdicts), told
    assert all(line.startswith(begins) for line, begins in zip(told, verdicts, strict=True)), told
    assert project.load(text).pipeline is None
    assert not os.path.exists("hacked")


NAMES = {
    "B53 unicode": "é",
    "B53 blanks": "a b",
    "B53 dots": "a..b",
    "B53 only a dot": ".",
    "B53 a dash": "-x",
    "B53 201 characters": "x" * 201,
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name_that_is_no_dag_id_is_refused_with_a_hint(project: Project, name: str) -> None:
    [told] = project.told(PIPELINE, f"{name}.yaml")
    place, _, hint = told.split(" | ")
    assert place == "1:1 invalid-name "
    assert "ASCII letters" in hint or hint.startswith("rename the file")


TEMPLATES = {
    "B49 classes": "{{ ''.__class__.__mro__ }}",
    "B49 a shell": "{{ joiner.__init__.__globals__.os.popen('touch hacked').read() }}",
    "B50 a range": "{{ range(999999999) | list }}",
    "B50 a loop": "{% for a in range(99999999) %}x{% endfor %}",
}


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_a_template_in_a_pipeline_file_is_only_text(project: Project, template: str) -> None:
    text = with_(f'path: "${{env.raw}}/{template}/${{window.key}}.csv"', f"path: {PATH}")
    pipeline = project.pipeline(text.replace(DESCRIPTION, f'description: "{template}"'))
    plan = pipeline.plan(DAY, Attempt(number=1, token="t", run="r"))
    source: Any = plan.extract["orders"]
    assert source.path == f"{project.folder}/data/raw/{template}/2013-07-01.csv"
    assert pipeline.description == template
    assert not os.path.exists("hacked")
