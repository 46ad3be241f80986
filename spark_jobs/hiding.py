"""Secrets stay unsaid: whatever is printed, reported or raised has `***` in their place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, quote_plus

HIDDEN: Final = "***"
_SHORTEST: Final = 4  # characters; a shorter secret would tear every line apart
_LINE: Final = 8  # likewise for one line of a secret that has several
_SECRET_KEY: Final = re.compile(
    r"(?i)pass|pwd|secret|token|credential|private|api_?key|access_?key|auth|keyfile|service_account|signature"
)


class Hiding:
    """Takes secrets out of texts.

    Args:
        secrets: what nobody may read; those of less than 4 characters are left as they are.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = [text for text in secrets if len(text) >= _SHORTEST]
        lines = [line.strip() for text in known for line in text.splitlines() if len(text.splitlines()) > 1]
        forms = {form for text in [*known, *(line for line in lines if len(line) >= _LINE)] for form in _forms(text)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._shape = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def text(self, text: str) -> str:
        """A text without the secrets, however they are quoted in it."""
        return self._shape.sub(HIDDEN, text) if self._shape else text

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


def _forms(secret: str) -> set[str]:
    """A secret as it may stand in a text: itself, as part of a URL, of JSON, of Python's source."""
    written = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    return {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), *written}
