"""Secrets in a pipeline file: found by their shape or by the name of their key, and never printed.

Shapes are those that their issuers document; a value beside a word such as `password` is judged by its entropy too.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from airflow_provider_etl.spec.diagnostics import Diagnostic
from airflow_provider_etl.spec.ignores import ignores_of
from airflow_provider_etl.spec.nodes import MapNode, Node, ScalarNode, Source, scalars
from airflow_provider_etl.spec.problems import Problems

# What -> shape; a group, where there is one, is the secret itself.
_SHAPES: Final = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]*?(?:-----END|\Z)"),
    "an AWS access key id": re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    "a JSON web token": re.compile(r"\beyJ[\w-]{8,2000}\.eyJ[\w-]{8,4000}\.[\w-]*"),
    "a GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{40,})"),
    "a Slack token": re.compile(r"\bxox[abeprs]-[A-Za-z0-9-]{10,}"),
    "a Google API key": re.compile(r"\bAIza[\w-]{35}\b"),
    "a Stripe key": re.compile(r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}"),
    "a Databricks token": re.compile(r"\bdapi[0-9a-f]{32}\b"),
    "a storage signature": re.compile(r"[?&]sig=([A-Za-z0-9%/+=]{20,})"),
    "a storage account key": re.compile(r"\bAccountKey=([A-Za-z0-9+/=]{20,})"),
    "a password in a URL": re.compile(
        r"(?<![\w+.-])[a-zA-Z][a-zA-Z0-9+.-]{1,20}://[^\s/:@'\"{}]{0,100}:([^\s/@'\"{}]{1,200})@"
    ),
    "a password in connection text": re.compile(r"(?i)[?&;](?:password|pwd|passwd)=([^&;\s'\"{}$]+)"),
}
_NAMED: Final = re.compile(
    r"token|(?:.*_)?(?:password|passwd|pwd|passphrase|secret|secret_?key|client_?secret|api_?key|access_?key|private_?key"
    r"|(?:auth|access|bearer|refresh|api)_?token)"
)
_DOUBTFUL: Final = frozenset({"secret", "token"})  # may be the name of one, in a vault
_BESIDE: Final = re.compile(
    r"(?i)(?:password|passwd|pwd|secret|token|api[_-]?key|credential)\w{0,20}[\"']?\s*(?:[:=]|is)\s*[\"']?"
    r"([A-Za-z0-9+/_.~=!@#%^*-]{16,})"
)
SUSPECTED: Final = "secret-suspected"
_ENTROPY: Final = 3.5  # bits a character: words stay below, random base64 lies above
_HIDDEN: Final = "… (not shown: it looks like a secret)"
_PREFIX: Final = 5


@dataclass(frozen=True, kw_only=True)
class Secret:
    """A secret in a text.

    Args:
        start, end: where it stands, from 0.
        what: what it looks like.
        certain: whether its shape or its key leaves no doubt.
    """

    start: int
    end: int
    what: str
    certain: bool = True


def in_text(text: str) -> list[Secret]:
    """The secrets of a text, by shape, in their order; those that overlap a more certain one are left out."""
    found = [
        Secret(start=match.start(match.lastindex or 0), end=match.end(match.lastindex or 0), what=what)
        for what, shape in _SHAPES.items()
        for match in shape.finditer(text)
    ]
    for match in _BESIDE.finditer(text):
        start, end = match.span(1)
        if _random(match[1]) and not any(item.start < end and start < item.end for item in found):
            found.append(Secret(start=start, end=end, what="a secret", certain=False))
    return sorted(found, key=lambda item: item.start)


def _random(text: str) -> bool:
    """Whether a text looks drawn by chance: letters and digits, and many different ones."""
    counts = Counter(text)
    bits = -sum(count / len(text) * math.log2(count / len(text)) for count in counts.values())
    return bits >= _ENTROPY and any(item.isdigit() for item in text) and any(item.isalpha() for item in text)


def check(node: MapNode, problems: Problems, *, apart: bool = False) -> None:
    """Report the secrets of a file, comments included.

    Args:
        node: the file's keys; some of them may come from other files.
        problems: where problems go; the secret itself is in none of them.
        apart: whether the file is none of the caller's, who will not ask what its comments ignore: it is asked here.
    """
    told = set()
    for source in _sources(node):
        ignored = ignores_of(source) if apart or source is not node.source else ()
        spared = {item.line for item in ignored if item.code == SUSPECTED}
        for secret in in_text(source.text):
            line = source.text.count("\n", 0, secret.start) + 1
            column = secret.start - source.text.rfind("\n", 0, secret.start)
            told.add((source.path, line))
            if secret.certain or not spared & {0, line}:
                _tell(problems, Node(source, line, column), f"this looks like {secret.what}", certain=secret.certain)
    for key, value in _by_key(node):
        if (value.source.path, value.line) not in told:
            certain = _plain(key) not in _DOUBTFUL
            _tell(problems, value, f"{key!r} is given a value in the file", certain=certain)


def _sources(node: Node) -> list[Source]:
    """The files that a pipeline was put together from: its own, bases, the environment's defaults."""
    entries = node.entries.values() if isinstance(node, MapNode) else ()
    return list({item.source.path: item.source for item in [node, *(entry.value for entry in entries)]}.values())


def _tell(problems: Problems, place: Node, message: str, *, certain: bool) -> None:
    hint = "keep it in an Airflow connection and name that, and change the secret: the file's history has it"
    if certain:
        problems.add(place, "secret", message, hint)
    else:
        more = "; or say `# etl: ignore=secret-suspected` if it is none"
        problems.add(place, SUSPECTED, message, hint + more, severity="warning")


def _by_key(node: Node, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ScalarNode]]:
    """Values of keys such as `password`, where keys are options and no columns."""
    for key, entry in node.entries.items() if isinstance(node, MapNode) else ():
        if (not path and key in {"transform", "check"}) or key == "columns":
            continue  # there keys are columns
        if isinstance(entry.value, ScalarNode) and _NAMED.fullmatch(_plain(key)) and _given(entry.value):
            yield key, entry.value
        yield from _by_key(entry.value, (*path, key))


def _plain(key: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", key.lower())


def _given(node: ScalarNode) -> bool:
    return bool(node.text.strip()) and "${" not in node.text and node.text not in {"null", "~", "true", "false"}


def hidden(diagnostics: Iterable[Diagnostic], node: Node | None) -> tuple[Diagnostic, ...]:
    """Diagnostics without the secrets that their texts would show.

    Args:
        diagnostics: of one file.
        node: the file as read; None where it couldn't be.
    """
    found = tuple(diagnostics)
    if not found or node is None:
        return found
    texts = [source.text for source in _sources(node)]
    texts = texts if any(texts) else [item.text for item in scalars(node)]
    secrets = {text[item.start : item.end] for text in texts for item in in_text(text) if item.certain}
    secrets |= {value.text for _, value in _by_key(node)}
    starts = sorted({item[:_PREFIX] for item in secrets if len(item) >= _PREFIX})
    return tuple(_without(item, starts) for item in found) if starts else found


def _without(diagnostic: Diagnostic, starts: list[str]) -> Diagnostic:
    """A diagnostic whose texts end where a secret begins: what is cut off may be part of one."""

    def cut(text: str) -> str:
        places = [place for place in (text.find(start) for start in starts) if place >= 0]
        return text[: min(places)] + _HIDDEN if places else text

    return replace(diagnostic, message=cut(diagnostic.message), hint=cut(diagnostic.hint))
