"""What texts of SQL may not hold, as far as it is seen without Spark: they are refused before it reads them."""

from __future__ import annotations

import pytest

from spark_jobs.errors import ConfigError
from spark_jobs.expressions import refuse_code


@pytest.mark.parametrize(
    "text",
    [
        "reflect('java.lang.System', 'getenv', 'HOME')",
        "IDENTIFIER('ref' || 'lect')('java.lang.System', 'getenv', 'HOME')",
        "identifier\n\u00a0('ref' 'lect')('java.lang.System', 'getenv', 'HOME')",
        "Identifier/**/('reflect')('a', 'b')",
        "identifier -- ,\n('ref' || 'lect')('a', 'b')",
        "\u0131dent\u0131f\u0131er('ref' || 'lect')('a', 'b')",  # Spark's lexer reads it in capitals
        "SELECT * FROM IDENTIFIER('lake.' || 'secret')",
    ],
)
def test_no_function_is_called_by_a_name_that_is_made(text: str) -> None:
    with pytest.raises(ConfigError, match=r"runs Java code|IDENTIFIER.* makes a name of a text"):
        refuse_code(text, "transform.result[0].filter")


@pytest.mark.parametrize("text", ["identifier > 1", "coalesce(identifier, 0)", "my_identifier(1)", "t.identifier"])
def test_a_column_may_be_called_identifier(text: str) -> None:
    refuse_code(text, "transform.result[0].filter")


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM table_changes_by_path('/any/table', 0)",
        "SELECT * FROM `TABLE_CHANGES`/**/('orders', 0)",
        """from_avro(x, '"string"', map('avroSchemaUrl', '/etc/passwd'))""",
        "from_xml(x, 'a INT', Map /**/ ('rowValidationXSDPath', '/etc/passwd')).a",
        "from_xml(x, 'a INT', `map`('rowValidationXSDPath', '/etc/passwd')).a",
        "schema_of_xml('<a/>', map('rowValidationXSDPath', '/etc/passwd'))",
        "from_protobuf(x, 'A', '/etc/passwd')",
    ],
)
def test_no_function_reads_files_or_tables(text: str) -> None:
    with pytest.raises(ConfigError, match="reads"):
        refuse_code(text, "transform.result[0].sql")


@pytest.mark.parametrize(
    "text",
    [
        "from_xml(x, 'a INT, b MAP<STRING, INT>').b",
        "from_xml(x, 'a INT').a > map_keys(m)[0]",
        "map('a', 1)['a']",
        """from_avro(x, '"string"')""",
    ],
)
def test_functions_without_options_are_as_before(text: str) -> None:
    refuse_code(text, "transform.result[0].sql")
