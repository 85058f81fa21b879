"""Which draft each class of bars takes, chosen for the tune as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mst_core.transfer.change_path import LEAST_GAIN, Closeness, Values

ROUNDS = 3
"""How often every class may choose again, now that the others have chosen."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A class of units and its drafts: M notes in each of P places."""

    notes: Values
    """Their indices in the tune, (P, M)."""
    drafts: tuple[Values, ...]
    """The values of each draft, (P, M) or (M,)."""


def choose(own: Values, choices: Sequence[Choice], closeness: Closeness) -> list[int]:
    """Choose a draft for each class.

    The nearest whole draft first, since its parts were written together; then class by class
    whatever brings the tune nearer.
    """
    if not choices:
        return []
    values = own.copy()

    def put(choice: Choice, pick: int) -> None:
        values[choice.notes] = choice.drafts[pick]

    def whole(pick: int) -> float:
        for choice in choices:
            put(choice, min(pick, len(choice.drafts) - 1))
        return closeness(values)

    best = max(range(max(len(choice.drafts) for choice in choices)), key=whole)
    picks = [min(best, len(choice.drafts) - 1) for choice in choices]
    here = whole(best)
    for _ in range(ROUNDS):
        before = here
        for place, choice in enumerate(choices):
            for pick in range(len(choice.drafts)):
                put(choice, pick)
                there = closeness(values)
                if there > here + LEAST_GAIN:
                    picks[place], here = pick, there
            put(choice, picks[place])
        if here == before:
            break
    return picks
