"""Rules about single keys and their values."""

from __future__ import annotations

from typing import Final

from airflow_provider_etl.spec.catalogue.rule import Rule

_LOAD: Final = "load:\n  lake:\n    type: delta\n    path: ${env.lake}/orders\n    write: "

RULES: Final = (
    Rule(
        code="unknown-key",
        why="No such key is known here. It would change nothing, and somebody expects that it does.",
        wrong="ownr: sales\n",
        right="owner: sales\n",
        mend="Take the name that was meant; the message lists those that are valid.",
    ),
    Rule(
        code="missing-key",
        why="A key without a default isn't given. It is told at the key that holds the mapping.",
        wrong="load:\n  lake:\n    type: delta\n    path: ${env.lake}/orders\n",
        right=f"{_LOAD}{{strategy: append}}\n",
        mend="Give it.",
    ),
    Rule(
        code="one-key",
        why="A step or check is a mapping with one key, its kind. Two keys mostly mean a dash is missing.",
        wrong="transform:\n  - from: orders\n  - filter: amount > 0\n    drop: [customer]\n",
        right="transform:\n  - from: orders\n  - filter: amount > 0\n  - drop: [customer]\n",
        mend="Begin each with a dash of its own.",
    ),
    Rule(
        code="wrong-type",
        why="A value is of another YAML type than its key takes. Nothing is converted silently: `yes` is no boolean,"
        " `10` no duration.",
        wrong="timeout: 30\n",
        right="timeout: 30m\n",
        mend="Write the value as the message says.",
    ),
    Rule(
        code="quote-needed",
        why="A text is wanted, and YAML readers make something else of this one: `NO` becomes false, `1.10` becomes 1.1,"
        " `2013-01-01` a date.",
        wrong="owner: NO\n",
        right='owner: "NO"\n',
        mend="Put it in quotes.",
    ),
    Rule(
        code="unknown-value",
        why="The key takes one of a few words, and this is none of them.",
        wrong="execution: fusd\n",
        right="execution: fused\n",
        mend="Take one that the message lists.",
    ),
    Rule(
        code="invalid-value",
        why="The value is of the right type and still can't be: too long, against a pattern, or refused by the kind.",
        wrong="owner_links: {airflow: sales}\n",
        right='owner_links: {airflow: "mailto:sales@example.com"}\n',
        mend="Write it as the message says.",
    ),
    Rule(
        code="out-of-range",
        why="A number or a duration lies outside its bounds.",
        wrong="check:\n  - not_null: {columns: [id], mostly: 99}\n",
        right="check:\n  - not_null: {columns: [id], mostly: 0.99}\n",
        mend="Stay within the bounds that the message names.",
    ),
    Rule(
        code="unknown-kind",
        why="No source, step, check or destination is called so, neither among those that ship nor among the installed"
        " ones of others.",
        wrong="transform:\n  - from: orders\n  - filtr: amount > 0\n",
        right="transform:\n  - from: orders\n  - filter: amount > 0\n",
        mend="Take the name that was meant, or install the distribution that brings it.",
    ),
    Rule(
        code="kind-broken",
        why="The kind is installed and can't be imported; the message holds Python's own reason.",
        wrong="transform:\n  - from: orders\n  - broken: {}\n",
        right="transform:\n  - from: orders\n  - filter: amount > 0\n",
        mend="Mend the installation of the distribution that brings it.",
    ),
    Rule(
        code="reader-failed",
        why="Reading the file came to an error that no rule foresaw, in this package or in a kind of somebody else; the"
        " message holds Python's own reason. Other files are read as ever.",
        wrong="transform:\n  - from: orders\n  - falling: {}\n",
        right="transform:\n  - from: orders\n  - filter: amount > 0\n",
        mend="Report it to whoever made the kind, or to us; until then, write the option that it falls over otherwise.",
    ),
    Rule(
        code="option-conflict",
        why="Options that are each right can't go together, or one lacks what it needs: bounds that nothing lies between,"
        " `column` beside `columns`, an option of another format.",
        wrong="check:\n  - in_range: {column: amount, min: 100, max: 1}\n",
        right="check:\n  - in_range: {column: amount, min: 1, max: 100}\n",
        mend="Keep one of the two, as the message says.",
    ),
    Rule(
        code="conflicting-keys",
        why="Two keys of the pipeline contradict each other: with `depends_on_previous` or `lookback` one window runs at a"
        " time, a fused run has no tasks of its own.",
        wrong="depends_on_previous: true\nmax_active_windows: 8\n",
        right="depends_on_previous: true\n",
        mend="Leave one of them out.",
    ),
    Rule(
        code="unknown-variable",
        why="`${…}` names nothing that is known: it stands for `window.start`, `window.end`, `window.key`, `pipeline`,"
        " `env.NAME` of the environment file and `param.NAME` of the pipeline's parameters.",
        wrong="load:\n  lake:\n    type: delta\n    path: ${env.lke}/orders\n    write: {strategy: append}\n",
        right=f"{_LOAD}{{strategy: append}}\n",
        mend="Take the name that was meant, or define it.",
    ),
    Rule(
        code="variable-misplaced",
        why="`${…}` stands where nothing is substituted; it would be taken as it is written.",
        wrong="owner: ${env.team}\n",
        right="owner: sales\n",
        mend="Use it in paths and queries; in expressions write `${window.start}` only in queries (`sql`).",
    ),
    Rule(
        code="variable-quoted",
        why="In SQL a variable becomes a literal, quotes included: quotes around it would make it a text that says `${…}`.",
        wrong="transform:\n  - from: orders\n  - sql: SELECT * FROM input WHERE ordered_at >= '${window.start}'\n",
        right="transform:\n  - from: orders\n  - sql: SELECT * FROM input WHERE ordered_at >= ${window.start}\n",
        mend="Take the quotes away.",
    ),
    Rule(
        code="invalid-param",
        why="A parameter's default isn't what the parameter may be, or it has none and the pipeline starts by itself.",
        wrong="params: {region: {type: integer, default: north}}\n"
        "load:\n  lake:\n    type: delta\n    path: ${env.lake}/${param.region}\n    write: {strategy: append}\n",
        right="params: {region: north}\n"
        "load:\n  lake:\n    type: delta\n    path: ${env.lake}/${param.region}\n    write: {strategy: append}\n",
        mend="Make type, values, pattern and default agree.",
    ),
    Rule(
        code="unused-param",
        severity="warning",
        why="A parameter is offered in the form of a run, and changes nothing.",
        wrong="params: {region: north}\n",
        right="params: {region: north}\n"
        "load:\n  lake:\n    type: delta\n    path: ${env.lake}/${param.region}\n    write: {strategy: append}\n",
        mend="Use `${param.NAME}`, or take the parameter out.",
    ),
    Rule(
        code="unknown-engine",
        why="The environment has no engine of that name, or one of a kind that this release can't run.",
        wrong="engine: clustr\n",
        right="engine: local\n",
        mend="Take one that the environment file defines.",
    ),
    Rule(
        code="unknown-timezone",
        why="Windows are cut in this zone, and no IANA zone is called so.",
        wrong="timezone: Europe/Berln\n",
        right="timezone: Europe/Berlin\n",
        mend="Take an IANA name, such as `Europe/Berlin` or `UTC`.",
    ),
)
