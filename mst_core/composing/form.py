"""The form of a tune, planned before its first note: which bars are new and which return.

A plan cuts the tune into spans. A span is written anew or copied from earlier bars; no note crosses
the edge of a span, so that copies are whole and phrases begin where they should.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

PHRASE = 4
"""Bars of a phrase."""
FITTING_SECTIONS = (16, 8, 4)
"""Lengths of sections, in bars, that make sense to an ear."""
OTHER_FORMS = {
    1: "A",
    2: "AA",
    3: "AAB",
    4: "AABA",
    5: "AABBA",
    6: "AABBCC",
    7: "AABBCCA",
    8: "AABBAABB",
}
RHYME = 0.6
"""How often the end of the tune is the end of its first part again."""


@dataclass(frozen=True, slots=True)
class Span:
    """Bars that are written in one go, or copied."""

    first: int
    """Counted from 0."""
    bars: int
    source: int | None = None
    """The first bar that it copies; None when it is new."""
    closes: bool = False
    """Whether it ends a part, on a stable pitch."""
    home: bool = False
    """Whether the tune ends with it, or with a copy of it: the stable pitch is the tonic."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A form over so many bars."""

    form: str
    sections: tuple[int, ...]
    """The bars where sections begin."""
    bars: int
    spans: tuple[Span, ...]


def plan_form(bars: int, forms: dict[str, float], rng: np.random.Generator) -> Plan:
    """Draw a form by its weight and lay it out over the bars."""
    names = sorted(forms)
    weights = np.array([forms[name] for name in names])
    wanted = str(rng.choice(names, p=weights / weights.sum()))
    form, sizes = _sizes(bars, wanted)
    sections = tuple(int(start) for start in np.cumsum([0, *sizes[:-1]]))
    copies: dict[int, int] = {}
    closing: set[int] = set()
    first_of: dict[str, int] = {}
    rhymes = len(form) > 2 and rng.random() < RHYME
    for index, (letter, start, size) in enumerate(zip(form, sections, sizes, strict=True)):
        last = start + size - 1
        again = letter in first_of and size == sizes[first_of[letter]]
        if again:
            original = sections[first_of[letter]]
            answer = size if size > PHRASE else size - 1  # short parts get a second ending
            copies |= {start + bar: original + bar for bar in range(answer)}
        else:
            first_of.setdefault(letter, index)
            if size >= 2 * PHRASE:  # a phrase returns inside a long part: a b a c
                half = size // 2
                copies |= {start + half + bar: start + bar for bar in range(half // 2)}
        if again or size > PHRASE or index == len(form) - 1:
            closing.add(last)
    final = bars - 1
    first_close = min(closing)
    if rhymes and first_close < final and final not in copies and first_close not in copies:
        copies[final] = first_close
    return Plan(form, sections, bars, _spans(bars, set(sections), copies, closing))


def _sizes(bars: int, form: str) -> tuple[str, list[int]]:
    """Give each section of a form its bars, or find a form that the bars allow."""
    size, odd = divmod(bars, len(form))
    if not odd and size in FITTING_SECTIONS:
        return form, [size] * len(form)
    for size in FITTING_SECTIONS:
        count, odd = divmod(bars, size)
        if not odd and 1 < count < 9 and size <= 2 * PHRASE:
            return OTHER_FORMS[count], [size] * count
    sizes = [PHRASE] * (bars // PHRASE)
    rest = bars % PHRASE
    if rest > 1 or not sizes:
        sizes.append(rest)
    else:
        sizes[-1] += rest
    letters = "AABBCCDDEEFFGGHH"[: len(sizes)]
    if len(sizes) > 1 and sizes[-1] != PHRASE:
        letters = letters[:-1] + chr(ord(max(letters[:-1])) + 1)
    return letters, sizes


def _spans(
    bars: int, sections: set[int], copies: dict[int, int], closing: set[int]
) -> tuple[Span, ...]:
    """Cut where a copy begins or ends, on either side, at sections and at every phrase."""
    cuts = {0, bars} | sections
    for section in sections:
        cuts |= set(range(section, bars, PHRASE))
    for bar, source in copies.items():
        if copies.get(bar - 1) != source - 1:
            cuts |= {bar, source}
        if copies.get(bar + 1) != source + 1:
            cuts |= {bar + 1, source + 1}
    edges = sorted(cut for cut in cuts if cut <= bars)
    home = {bars - 1}
    while (earlier := copies.get(min(home))) is not None:
        home.add(earlier)
    return tuple(
        Span(
            first, after - first, copies.get(first), after - 1 in closing | home, after - 1 in home
        )
        for first, after in pairwise(edges)
    )
