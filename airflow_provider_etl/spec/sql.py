"""SQL in a pipeline file: an expression is exactly one scalar expression, a query exactly one SELECT.

sqlglot reads Spark's dialect, but takes more than Spark does: `a b` is an alias to it, `x * * y` a product with a star,
a statement is a statement. What it lets through is refused here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_etl.spec.class_plan import option_node, plan_of
from airflow_provider_etl.spec.diagnostics import nearest, shown
from airflow_provider_etl.spec.nodes import MapNode, Node, ScalarNode, scalars
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.reading import FAILED
from airflow_provider_etl.spec.sql_calls import WINDOW, Call, doubtful, hidden
from airflow_provider_etl.spec.sql_order import unordered
from airflow_provider_etl.spec.sql_parsing import parse
from airflow_provider_etl.spec.variables import blanked
from airflow_provider_etl.spec.verbs import Placed, Verbs
from spark_jobs.check.expectation import Expectation
from spark_jobs.check.gx_query import BATCH, CONDITION, QUERY, filled, spark_condition
from spark_jobs.kinds import reads_datasets

if TYPE_CHECKING:
    from sqlglot import Token
    from sqlglot.expressions import Expression

# Calls with something behind them, such as FILTER (…): expressions that sqlglot doesn't count among its conditions.
_CALLS: Final = ("AtTimeZone", "FromTimeZone", "Filter", "WithinGroup", "IgnoreNulls", "RespectNulls")
_NO_CALLS: Final = ("Binary", "Unary", "Cast", "Case", "If")  # functions to sqlglot, operators to Spark
# Nothing is substituted among the arguments of an expectation.
_CLOCK: Final = "compare in a `sql` step, which may name ${window.start}"
_TABLE_CALLS: Final = frozenset({"range", "explode", "explode_outer", "posexplode", "inline", "stack"})


def check(verbs: Verbs, problems: Problems, *, deterministic: bool) -> None:
    """Report every text that is no expression or no query, and every call that a repeat would answer otherwise."""
    earlier = list(verbs.sources)
    for name in verbs.datasets:
        for placed in verbs.transform.get(name, []):
            _check_kind(placed, earlier, problems, deterministic=deterministic)
        earlier.append(name)
    known = [*verbs.sources, *verbs.datasets]
    before: list[str] = []
    for name, placed in verbs.extract.items():
        _check_kind(placed, before if reads_datasets(placed.kind) else known, problems, deterministic=deterministic)
        before.append(name)
    checks = [item for items in verbs.check.values() for item in items]
    for placed in (*checks, *verbs.load.values()):
        if isinstance(placed.kind, Expectation):
            _check_expectation(placed, problems, deterministic=deterministic)
        else:
            _check_kind(placed, known, problems, deterministic=deterministic)


def _check_kind(placed: Placed, tables: list[str], problems: Problems, *, deterministic: bool) -> None:
    if placed.kind is FAILED:
        return
    own = "input" if placed.group != "extract" else ""
    for kind, node in parts(placed.kind, placed.node):
        for key, field in plan_of(type(kind)).fields.items():
            if field.metadata.get("substitute") == "database" and deterministic:
                found = option_node(type(kind), node, key)
                for text in scalars(found) if found is not None else ():
                    _Text(text, problems, deterministic, substituted=True, grouped=True).check_foreign()
            wants_query = bool(field.metadata.get("query"))
            if not wants_query and not field.metadata.get("expression"):
                continue
            found = option_node(type(kind), node, key)
            for text in scalars(found) if found is not None else ():
                substituted = bool(field.metadata.get("substitute"))
                grouped = wants_query or bool(field.metadata.get("aggregate"))
                read = [item for item in (own, *tables) if item] if wants_query else None
                _Text(text, problems, deterministic, substituted, grouped).check(read)


def _check_expectation(placed: Placed, problems: Problems, *, deterministic: bool) -> None:
    """The SQL among an expectation's arguments, which isn't Great Expectations' alone to read."""
    kwargs = placed.node.get("kwargs") if isinstance(placed.node, MapNode) else None
    if not isinstance(kwargs, MapNode):
        return
    query, condition = kwargs.get(QUERY), kwargs.get(CONDITION)
    if query is not None:
        try:
            text = filled(placed.kind.kwargs.get(QUERY))
        except ValueError as error:
            problems.add(query, "invalid-value", str(error))
            return
        if isinstance(query, ScalarNode):
            _Text(query, problems, deterministic, substituted=False, grouped=True, clock=_CLOCK).check([BATCH], text)
    found = condition.get("pass_through_filter") if isinstance(condition, MapNode) else condition
    if isinstance(found, ScalarNode) and spark_condition(placed.kind.kwargs) is not None:
        _Text(found, problems, deterministic, substituted=False, grouped=False, clock=_CLOCK).check(None)


def parts(kind: Any, node: Node) -> Iterator[tuple[Any, Node]]:
    """A kind and the dataclasses nested in it, each with its node."""
    yield kind, node
    for key, field in plan_of(type(kind)).fields.items():
        value, below = getattr(kind, field.name), option_node(type(kind), node, key)
        if below is not None and hasattr(value, "__dataclass_fields__"):
            yield from parts(value, below)


@dataclass(frozen=True)
class _Text:
    """One text of SQL in the file."""

    node: ScalarNode
    problems: Problems
    deterministic: bool
    substituted: bool
    grouped: bool
    clock: str = ""  # of an expectation: what to do instead of asking the clock

    def check(self, tables: list[str] | None, filled: str | None = None) -> None:
        """Parse it.

        Args:
            tables: names that a query may read; None where the text is an expression.
            filled: the text without placeholders that aren't SQL; None where it has none.
        """
        sql = filled if filled is not None else blanked(self.node.text) if self.substituted else self.node.text
        parsed = None if self._quoted_variables() else self._parsed(sql)
        if parsed is None:
            return
        statements, tokens = parsed
        found = [statement for statement in statements if statement is not None]
        if not found:
            self._tell("expression-empty", "the text is empty", "write Spark SQL", 0)
        elif len(statements) > 1:
            offset = next((token.start for token in tokens if token.text == ";"), 0)
            self._tell("expression-many", f"{len(statements)} statements stand where one is wanted", "", offset)
        elif tables is None:
            self._expression(found[0])
            end = next((token.start for token in tokens if token.token_type.name == "SEMICOLON"), None)
            if end is not None and self.clock:  # Great Expectations hands it to Spark, which refuses it
                self._tell("expression-many", "one expression is wanted, ';' is left over", "take it away", end)
        else:
            self._query(found[0], tables)
        self._calls([*doubtful(tokens), *hidden(tokens)])
        if len(found) == 1 and self.deterministic:
            self._order(found[0], tokens)

    def _order(self, found: Expression, tokens: list[Token]) -> None:
        for call in unordered(found, tokens, grouped=self.grouped):
            where = "over a window without an order" if call.window else "of rows without an order"
            message = f"{shown(call.name)} {where} gives whatever comes first: the window couldn't be repeated"
            self._tell("expression-order", message, f"{call.remedy}, or say `deterministic: false`", call.offset)

    def check_foreign(self) -> None:
        """Look for calls in the SQL of a database: which one it is, and so its grammar, isn't known here."""
        from sqlglot import Dialect
        from sqlglot.errors import SqlglotError

        try:
            self._calls(doubtful(Dialect.get_or_raise("").tokenize(blanked(self.node.text))))
        except SqlglotError:
            return

    def _parsed(self, sql: str) -> tuple[list[Any], list[Token]] | None:
        from sqlglot.errors import ParseError, SqlglotError

        try:
            return parse(sql)
        except ParseError as error:
            first = error.errors[0]
            near = first.get("highlight") or ""
            message = f"{str(first.get('description', error)).split(' for <class')[0]}, near {shown(near)}"
            self._tell("expression-syntax", message, "mend the Spark SQL", len(first.get("start_context") or ""))
        except Exception as error:  # noqa: BLE001 - on nonsense sqlglot fails with Python's own errors too
            reason = str(error)[:80] if isinstance(error, SqlglotError) else "" if str(error) else "too deep"
            message = f"this is no Spark SQL: {reason}".removesuffix(": ")
            self._tell("expression-syntax", message, "close every quote and parenthesis", 0)
        return None

    def _expression(self, found: Expression) -> None:
        from sqlglot import expressions as exp

        statement = isinstance(found, (exp.Query, exp.DDL, exp.DML, exp.Command, exp.Set, exp.Kill, exp.Describe))
        if isinstance(found, (exp.Alias, exp.Aliases)):
            word = str(found.args.get("alias") or "an alias")
            alias = found.args.get("alias")
            offset = alias.meta.get("start", 0) if alias is not None else 0
            self._tell(
                "expression-many", f"one expression is wanted, {shown(word)} is left over", "no alias here", offset
            )
        elif not statement and _stray_star(found):
            self._tell("expression-syntax", "* stands for no value here", "name the columns", self.node.text.find("*"))
        elif statement or isinstance(found, exp.PropertyEQ) or not _is_value(found):
            message = "a statement stands where one scalar expression is wanted"
            self._tell("expression-statement", message, "", 0)
        elif found.find(exp.Query, exp.Placeholder, exp.Parameter) is not None:
            message = "a subquery or a parameter stands in an expression"
            self._tell("expression-statement", message, "use a join or sql step", 0)

    def _query(self, found: Expression, tables: list[str]) -> None:
        from sqlglot import expressions as exp

        if not isinstance(found, exp.Query):
            self._tell("query-statement", f"{type(found).__name__.upper()} stands where one SELECT is wanted", "", 0)
            return
        if found.find(exp.DDL, exp.DML, exp.Command, exp.Into) is not None:
            self._tell("query-statement", "a statement that writes stands in a query", "only SELECT", 0)
        program = found.find(exp.QueryTransform)
        if program is not None:
            self._tell("expression-code", "TRANSFORM … USING runs a program", "use Spark SQL's functions", 0)
        shared = {cte.alias_or_name.lower() for cte in found.find_all(exp.CTE)}
        names = {name.lower() for name in tables} | shared
        for table in found.find_all(exp.Table):
            self._table(table, names, tables)

    def _table(self, table: Any, names: set[str], tables: list[str]) -> None:
        from sqlglot import expressions as exp

        offset = table.this.meta.get("start", 0) if table.this is not None else 0
        if isinstance(table.this, exp.Func):
            call = table.this.name or table.this.sql_name()
            if call.lower() not in _TABLE_CALLS:
                message = f"table function {call} is not allowed"
                self._tell("query-table", message, f"valid: {', '.join(sorted(_TABLE_CALLS))}", offset)
        elif table.db or table.catalog:
            hint = f"a query reads {' and '.join(_readable(tables))}; make the table a source"
            self._tell("query-table", f"{shown(table.sql('spark'))} is no dataset of this pipeline", hint, offset)
        elif table.name.lower() not in names:
            hint = nearest(table.name, tables)
            self._tell("query-table", f"{shown(table.name)} is no dataset", hint, offset)

    def _calls(self, calls: Iterable[Call]) -> None:
        for call in calls:
            if call.runs_code:
                message = f"{call.name} runs code of any kind"
                self._tell("expression-code", message, "use Spark SQL's functions", call.offset)
            elif call.reads_files:
                message = f"{call.name} reads files by their paths"
                self._tell("expression-code", message, "leave its options out, and maps beside it", call.offset)
            elif self.deterministic:
                remedy = self.clock if self.clock and call.remedy == WINDOW else call.remedy
                hint = f"{remedy}, or say `deterministic: false`"
                message = f"{shown(call.name)} gives another value every time: the window couldn't be repeated"
                self._tell("expression-clock", message, hint, call.offset)

    def _quoted_variables(self) -> bool:
        offset = self.node.text.find("'${") if self.substituted else -1
        if offset >= 0:
            hint = "take the quotes away: a text or a time comes as a SQL literal"
            self._tell("variable-quoted", "a variable stands in quotes", hint, offset)
        return offset >= 0

    def _tell(self, code: str, message: str, hint: str, offset: int) -> None:
        self.problems.add(self.node, code, message, hint, offset=max(offset, 0))


def _readable(tables: list[str]) -> list[str]:
    """What a query may read, in words."""
    if tables == [BATCH]:
        return ["{batch}"]
    return ["`input`", "the datasets of its pipeline"] if "input" in tables else ["the sources above it"]


def _is_value(found: Expression) -> bool:
    from sqlglot import expressions as exp

    return isinstance(found, (exp.Condition, exp.Interval)) or type(found).__name__ in _CALLS


def _stray_star(found: Expression) -> bool:
    """Whether a star stands elsewhere than among a call's arguments, where it means all columns."""
    from sqlglot import expressions as exp

    operators = tuple(getattr(exp, name) for name in _NO_CALLS)
    for star in found.find_all(exp.Star):
        holder = star.parent.parent if isinstance(star.parent, exp.Distinct) else star.parent
        if not isinstance(holder, (exp.Func, exp.In)) or isinstance(holder, operators):
            return True
    return False
