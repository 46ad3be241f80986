"""Secrets stay unsaid: whatever is printed, reported or raised has `***` in their place."""

from __future__ import annotations

import html
import json
import re
import shlex
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, quote_plus, unquote, unquote_plus

HIDDEN: Final = "***"
_CUT: Final = "…"
_SHORTEST: Final = 4  # characters; a shorter secret would tear every line apart
_LINE: Final = 8  # likewise for one line of a secret that has several
_CODED: Final = 8  # bytes; the code of a shorter secret is found by chance
_ESCAPE: Final = re.compile(r"%[0-9A-F]{2}")
_SECRET_KEY: Final = re.compile(
    r"(?i)pass|pwd|secret|token|credential|private|api_?key|access_?key|auth|keyfile|service_account|signature"
)


def cut(text: str, longest: int) -> str:
    """A text that is cut where it is too long, with a mark by which `Hiding` finds the secret that was cut with it.

    Where a text is cut nobody knows the secrets yet: whoever tells it hides them.

    Args:
        text: of any length.
        longest: characters that may be left, the mark among them; at least one.
    """
    return text if len(text) <= longest else f"{text[: longest - 1]}{_CUT}"


class Hiding:
    """Takes secrets out of texts.

    Args:
        secrets: what nobody may read; those of less than 4 characters are left as they are.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = [text for text in secrets if len(text) >= _SHORTEST]
        lines = [line.strip() for text in known for line in text.splitlines() if len(text.splitlines()) > 1]
        found = {form for text in [*known, *(line for line in lines if len(line) >= _LINE)] for form in forms(text)}
        self._shape = re.compile(_any_of(found)) if found else None
        self._forms = found

    def text(self, text: str) -> str:
        """A text without the secrets, however they are quoted or encoded in it, nor what a cut has left of one."""
        if self._shape is None:
            return text
        *ends, rest = self._shape.sub(HIDDEN, text).split(_CUT)
        return _CUT.join([*(self._without_begun(end) for end in ends), rest])

    def _without_begun(self, text: str) -> str:
        """A text that doesn't end with the first part of a secret."""
        begun = max((_begun(text, form) for form in self._forms), default=0)
        return f"{text[:-begun]}{HIDDEN}" if begun else text

    def json(self, value: Any) -> Any:
        """JSON whose texts hold no secret."""
        if self._shape is None:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.json(item) for key, item in value.items()}
        return [self.json(item) for item in value] if isinstance(value, (list, tuple)) else value

    def saying(self, say: Callable[[str], None]) -> Callable[[str], None]:
        """What takes lines and says them without the secrets."""
        return lambda line: say(self.text(line))


def _begun(text: str, form: str) -> int:
    """How many characters at the end of a text are the first ones of a secret."""
    sizes = range(min(len(form) - 1, len(text)), 0, -1)
    return next((size for size in sizes if form[size - 1] == text[-1] and text.endswith(form[:size])), 0)


def _any_of(texts: Iterable[str], shared: int = 2) -> str:
    """A pattern of texts, the longest first; those that begin alike stand together, so that few are tried at a place.

    Args:
        texts: each of more than `shared` characters.
        shared: so many first characters are told apart.
    """
    if not shared:
        return "|".join(map(re.escape, sorted(texts, key=len, reverse=True)))
    rests: dict[str, list[str]] = {}
    for text in texts:
        rests.setdefault(text[0], []).append(text[1:])
    return "|".join(f"{re.escape(first)}(?:{_any_of(rest, shared - 1)})" for first, rest in rests.items())


def secrets_of(extra: Any, *, smells: bool = False) -> Iterator[str]:
    """The secrets of a connection's `extra`: what is below keys that smell of one.

    Args:
        extra: a value of it.
        smells: whether the value is below such a key.
    """
    if isinstance(extra, Mapping):
        for key, item in extra.items():
            yield from secrets_of(item, smells=smells or bool(_SECRET_KEY.search(str(key))))
    elif isinstance(extra, (list, tuple)):
        for item in extra:
            yield from secrets_of(item, smells=smells)
    elif isinstance(extra, str) and extra.lstrip().startswith("{"):
        if smells:
            yield extra
        yield from _inside(extra)
    elif smells and extra is not None and not isinstance(extra, bool):
        yield str(extra)


def _inside(text: str) -> Iterator[str]:
    """The secrets in a text that is JSON, as the key files of clouds are."""
    try:
        found = json.loads(text)
    except ValueError:
        return
    yield from secrets_of(found)


def forms(secret: str) -> set[str]:
    """A secret as it may stand in a text: as it is, quoted by somebody, or encoded.

    Args:
        secret: of any length; one of less than 8 bytes has no encoded forms, which would be found by chance.
    """
    quoted = {form for text in _unquoted(secret) for form in _quoted(text)}
    coded = {form for text in (secret, *_in_json(secret)) for form in _encoded(text)}
    return {form for form in quoted | coded if len(form) >= _SHORTEST}


def _unquoted(secret: str) -> set[str]:
    """A secret, and what becomes of it where somebody takes it for a part of a URL."""
    return {secret, unquote(secret), unquote_plus(secret)}


def _quoted(secret: str) -> set[str]:
    """A text as part of a URL, of JSON, of JSON in JSON, of Python's source, of SQL, of a shell's line, of a page."""
    url = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
    url |= {_ESCAPE.sub(lambda found: found[0].lower(), text) for text in url}
    plain = _in_json(secret)
    nested = {form for text in plain for form in _in_json(text)}
    doubled = {secret.replace("'", "''"), secret.replace('"', '""'), secret.replace("\\", "\\\\")}
    other = {repr(secret)[1:-1], shlex.quote(secret), html.escape(secret), html.escape(secret, quote=False)}
    # Spark's pages write one quotation mark by its number, Java's XML by its name.
    pages = {html.escape(secret).replace("&#x27;", mark) for mark in ("&#39;", "&apos;", "'")}
    return {secret, *url, *plain, *nested, *doubled, *other, *pages}


def _in_json(text: str) -> set[str]:
    """A text as it stands between the quotation marks of JSON."""
    return {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}


def _encoded(secret: str) -> set[str]:
    """A secret in hexadecimal digits, and in Base64 wherever it begins in what was encoded (RFC 4648)."""
    raw = secret.encode("utf-8", errors="surrogatepass")
    if len(raw) < _CODED:
        return set()
    found = {raw.hex(), raw.hex().upper()}
    for before, first in ((0, 0), (1, 2), (2, 3)):  # the first digit that nothing but the secret decides
        last = (before + len(raw)) * 8 // 6
        for encode in (b64encode, urlsafe_b64encode):
            found.add(encode(bytes(before) + raw).decode("ascii")[first:last])
    return found
