"""Whether the parts of a bill of materials have licences that are allowed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from supply.parts import Known

_CLASSIFIER: Final = re.compile(r"^License :: (?:OSI Approved :: )?")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One part.

    Args:
        name: `package` or `group:artifact`.
        version: its version.
        licence: as an SPDX expression where it can be told; empty where nothing is known.
        problem: why it can't be used; empty where it can.
    """

    name: str
    version: str
    licence: str
    problem: str = ""


def judged(components: Iterable[Mapping[str, Any]], known: Known) -> list[Verdict]:
    """A verdict on each component of a CycloneDX bill, by name."""
    return sorted((_verdict(item, known) for item in components), key=lambda found: found.name.lower())


def _verdict(item: Mapping[str, Any], known: Known) -> Verdict:
    group, version = item.get("group") or "", str(item.get("version", ""))
    name = ":".join(filter(None, (group, item["name"])))
    own = known.jar(group, item["name"], version) if group else known.package(item["name"], version)
    told = [own] if own else _told(item.get("licenses") or (), known)
    licence = " AND ".join(f"({text})" if " OR " in text and len(told) > 1 else text for text in told)
    problem = ""
    if not own and (others := known.others(group, item["name"])):
        # What it says itself was once no answer: nobody knows whether it is one now.
        found = "its POM" if group else f"`pip download --no-deps {name}=={version}`"
        versions = ", ".join(others)
        problem = f"its licence is known of {versions} alone: read {found}, and name {version} in supply/licences.toml"
    elif not told:
        problem = "nobody says its licence: find it out, and say it in supply/licences.toml"
    elif not all(_fits(text, known.allowed) for text in told):
        problem = f"{licence} isn't allowed by supply/licences.toml: use another part"
    return Verdict(name=name, version=version, licence=licence, problem=problem)


def _told(entries: Iterable[Mapping[str, Any]], known: Known) -> list[str]:
    """The licences of a component, each once: metadata say the same in two ways, by a classifier too."""
    found: dict[str, None] = {}
    for entry in entries:
        one = entry.get("license") or {}
        text = entry.get("expression") or one.get("id") or _CLASSIFIER.sub("", str(one.get("name", "")))
        if text := known.words.get(text, text):
            found[text] = None
    return list(found)


def _fits(expression: str, allowed: frozenset[str]) -> bool:
    """Whether an SPDX expression (AND, OR, parentheses) can be kept with what is allowed alone."""
    words = re.findall(r"[()]|[^\s()]+", expression)
    try:
        found = _any(words, allowed)
    except IndexError:
        return False
    return found and not words


def _any(words: list[str], allowed: frozenset[str]) -> bool:
    found = _all(words, allowed)
    while words and words[0] == "OR":
        words.pop(0)
        found = _all(words, allowed) or found
    return found


def _all(words: list[str], allowed: frozenset[str]) -> bool:
    found = _one(words, allowed)
    while words and words[0] == "AND":
        words.pop(0)
        found = _one(words, allowed) and found
    return found


def _one(words: list[str], allowed: frozenset[str]) -> bool:
    word = words.pop(0)
    if word != "(":
        return word in allowed
    found = _any(words, allowed)
    return words.pop(0) == ")" and found
