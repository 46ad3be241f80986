"""A pipeline file changes no setting of Spark: the environment file alone does."""

from __future__ import annotations

import pytest

from tests.spec.conftest import PIPELINE, Project

CONF = "{spark.driver.extraJavaOptions: '-javaagent:/tmp/x.jar'}"


@pytest.mark.parametrize(
    "more",
    [
        f"conf: {CONF}",
        f"spark: {{conf: {CONF}}}",
        "spark.jars: /tmp/x.jar",
        f"resources: {{size: small, conf: {CONF}}}",
        f"resources: {{load: {{conf: {CONF}}}}}",
        f"engine: {{kind: local, conf: {CONF}}}",
        "engines: {local: {kind: local, jars: /tmp}}",
        "roots: [/]",
        "stores: {}",
    ],
)
def test_no_key_of_a_pipeline_file_does(project: Project, more: str) -> None:
    told = project.told(f"{PIPELINE}{more}\n")
    assert any(code in told[0] for code in ("unknown-key", "wrong-type")), told


@pytest.mark.parametrize("where", ["format: csv\n", "type: delta\n"])
@pytest.mark.parametrize("option", ["options", "conf", "reader", "writer_options"])
def test_no_option_of_a_source_or_destination_does(project: Project, where: str, option: str) -> None:
    [line] = [line for line in PIPELINE.splitlines(keepends=True) if line.endswith(where)]
    told = project.told(PIPELINE.replace(line, f"{line}    {option}: {CONF}\n"))
    assert any("unknown-key" in text for text in told), told


@pytest.mark.parametrize(
    "statement",
    ["SET spark.sql.variable.substitute=true", "ADD JAR '/tmp/x.jar'", "CREATE FUNCTION f AS 'X'", "RESET"],
)
def test_no_statement_does(project: Project, statement: str) -> None:
    step = f'  - sql: "{statement}"\n'
    [told] = project.told(PIPELINE.replace("  - filter: amount > 0\n", step))
    assert told.startswith("11:11 query-statement transform[1].sql")
