"""What goes wrong between a test and a server: refusals, and answers that get lost or cut after the work was done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Fault = Literal["503", "throttled", "lost", "cut"]


@dataclass
class Rule:
    """What goes wrong with the next requests that have a word."""

    word: str
    fault: Fault
    times: int


class Rules(list[Rule]):
    """Those that hold; the first that matches counts."""

    def fail(self, fault: Fault, word: str, times: int = 1) -> None:
        """Let the next requests fail whose method, path or action has a word."""
        self.append(Rule(word, fault, times))

    def fault(self, *told: str) -> Fault | None:
        """What goes wrong with a request."""
        for rule in self:
            if rule.times and rule.word in " ".join(told):
                rule.times -= 1
                return rule.fault
        return None
