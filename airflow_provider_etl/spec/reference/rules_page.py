"""docs/rules.md: every code of `lint`, from the catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from airflow_provider_etl.spec.catalogue import BASE, CHAPTERS, Rule
from airflow_provider_etl.spec.catalogue.rule import Example

_LONGEST: Final = 40  # lines of an example that are shown
_WIDEST: Final = 100
_FILES: Final = 3  # files of an example that are shown
HEAD: Final = """\
# The rules of `lint`

<!-- made of airflow_provider_etl/spec/catalogue by `make docs`: change it there -->

`airflow-etl lint PATH…` tells each of them as `path:line:column: severity[code]: key: message; what to do`, and ends
with 1 where there is an error. `--format github` writes annotations for a pull request, `--format json` a list for
programs. Codes are stable.

A **warning** may be ignored by a comment, an error never:

```yaml
owner: sales        # etl: ignore=CODE           the warnings of this line
# etl: ignore=CODE, CODE                         on a line of its own: those of the next line
# etl: ignore-file=CODE                          those of the whole file
```

A comment that ignores nothing is told itself ([useless-ignore](#useless-ignore)).

Where an example is a part of a file, the rest is this one:
"""


def rules_page() -> str:
    """The page."""
    return "\n".join(_lines()) + "\n"


def explained(rule: Rule) -> str:
    """One rule, as the page has it."""
    return "\n".join(_rule(rule)).strip()


def _lines() -> Iterator[str]:
    yield HEAD
    yield from _fenced(BASE)
    yield ""
    for chapter, rules in CHAPTERS.items():
        links = ", ".join(f"[{rule.code}](#{rule.code})" for rule in rules)
        yield f"- **{chapter}**: {links}"
    for chapter, rules in CHAPTERS.items():
        yield f"\n## {chapter}"
        for rule in rules:
            yield from _rule(rule)


def _rule(rule: Rule) -> Iterator[str]:
    yield f"\n### {rule.code}\n"
    yield f"*{rule.severity}* · {rule.why}\n"
    yield "Wrong:\n"
    yield from _example(rule, rule.wrong)
    yield "\nRight:\n"
    yield from _example(rule, rule.right)
    yield f"\n{rule.mend}"


def _example(rule: Rule, example: Example) -> Iterator[str]:
    if isinstance(example, str):
        yield from _fenced("# as above\n" if example == BASE else example, "bash" if rule.command else "yaml")
        return
    for place, (name, text) in enumerate(list(example.items())[:_FILES]):
        if place:
            yield ""
        if len(example) > 1 or not text.strip():
            yield f"`{name.removeprefix('../')}`\n"
        elif name != "orders.yaml":
            yield f"In a file called `{name}`:\n"
        yield from _fenced("# as above\n" if text == BASE else text)
    if len(example) > _FILES:
        yield f"\n… and {len(example) - _FILES} more files like these."


def _fenced(text: str, language: str = "yaml") -> Iterator[str]:
    readable = re.sub("[\udc80-\udcff]", lambda byte: f"<byte 0x{ord(byte[0]) - 0xDC00:02x}>", text)
    shown = readable.rstrip("\n").split("\n")
    cut = [line if len(line) <= _WIDEST * 2 else f"{line[:_WIDEST]} …" for line in shown[:_LONGEST]]
    more = [f"# … {len(shown) - 3} more lines"] if len(shown) > _LONGEST else []
    yield f"```{language}"
    yield from cut[:3] if more else cut
    yield from more
    yield "```"
