"""The form of a tune, planned before its first note: which bars are new, copied or varied.

A plan cuts the tune into spans of bars. A span is generated, or copied from earlier bars. No note
crosses the edge of a span, so copies are complete and phrases begin where the plan has them. Which
bars of a part repeat is drawn from the tunes of the style (`mst_core.statistics.repetition`).
Bars are counted from 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mst_core.generation.config import GenerationConfig
from mst_core.generation.sampling import sample_weighted
from mst_core.statistics.repetition import PATTERN_BARS, PHRASE_BARS, parse_symbol, section_letters

PART_BARS = 2 * PHRASE_BARS
"""Bars of a part of a dance."""
SECTION_LENGTHS = (16, 8, 4)
"""Lengths of sections, in bars, that a listener recognizes as such; the longest that fits wins."""
DEFAULT_FORMS = {
    1: "A",
    2: "AA",
    3: "AAB",
    4: "AABA",
    5: "AABBA",
    6: "AABBCC",
    7: "AABBCCA",
    8: "AABBAABB",
}
"""The form by number of sections, for a number of bars that the drawn form cannot share."""
DEFAULT_REPETITION = {
    "....01......89..": 3,
    "....01......8967": 3,
    "....01........67": 2,
    "....01......01..": 1,
    "....01......0167": 1,
    "............8967": 1,
    ".....1..01..8967": 1,
    "........01......": 1,
}
"""The commonest repetition patterns of folk and one of other forms, with their weights: for a style
whose tunes seldom repeat or whose patterns are not known."""


@dataclass(frozen=True, slots=True)
class FormSpan:
    """Consecutive bars that are generated together, or copied."""

    first_bar: int
    bar_count: int
    copies: int | None = None
    """First of the earlier bars that it copies; None when it is generated."""
    cadence: bool = False
    """Whether it ends a part: its last note is long and on a stable pitch."""
    final: bool = False
    """Whether the tune ends with it or with a copy of it: the stable pitch is the tonic."""
    varies: int | None = None
    """First of the earlier bars whose pitches and durations are made more probable."""
    avoids: int | None = None
    """First of the earlier bars whose pitches are made less probable: the bars before both are
    equal, and the tune should now continue otherwise."""


@dataclass(frozen=True, slots=True)
class FormPlan:
    """The form of one tune."""

    form: str
    """A letter for each section, such as AABB."""
    sections: tuple[int, ...]
    """The first bar of each section."""
    bar_count: int
    spans: tuple[FormSpan, ...]
    """Every bar is in exactly one span, in order."""
    repeated: bool = False
    """Whether each section is written once, with repeat signs, and played twice."""

    @property
    def played_form(self) -> str:
        """A letter for each section as it is played: AABB for two sections that are repeated."""
        return "".join(letter * (1 + self.repeated) for letter in self.form)


@dataclass(slots=True)
class _FormDraft:
    """The decisions on each bar so far."""

    copied_bars: dict[int, int]
    varied_bars: dict[int, int]
    cadence_bars: set[int]

    def place_pattern(self, first_bar: int, symbols: str, part_starts: tuple[int, ...]) -> None:
        """Apply a repetition pattern from a bar on; ``part_starts`` are the parts' first bars."""
        for bar, symbol in enumerate(symbols, start=first_bar):
            found = parse_symbol(symbol)
            if found is None:
                continue
            source, varied = part_starts[found[0] // PART_BARS] + found[0] % PART_BARS, found[1]
            if source < bar:
                (self.varied_bars if varied else self.copied_bars)[bar] = source


def plan_form(
    bar_count: int,
    forms: Mapping[str, float],
    rng: np.random.Generator,
    repetition_patterns: Mapping[str, int] | None = None,
    *,
    varied: bool = False,
    cadence_bars: int = 0,
    config: GenerationConfig = GenerationConfig(),
) -> FormPlan:
    """Draw a form and lay it out over the bars.

    A form in which each letter stands twice in a row, as AABB, is that of a dance: its sections
    are written once, with repeat signs, eight (or sixteen) bars each.

    Args:
        bar_count: length of the tune, at least 4.
        forms: weights of forms such as AABB, by name.
        rng: the source of all draws.
        repetition_patterns: the style's patterns of 16 symbols with their counts. A dance of 16
            bars gets any of them, another tune one in which a phrase repeats; longer sections are
            filled with parts of one.
        varied: use `DEFAULT_REPETITION` and vary the bars that would be copied.
        cadence_bars: every phrase of this many bars ends with a cadence, as a hymn's do; 0 leaves
            cadences to the ends of parts.
        config: `rhyming_end_probability` is used.

    Returns:
        The plan; its last span is a cadence on the tonic.
    """
    drawn_form = _sample_sorted(forms, rng)
    draft = _FormDraft({}, {}, set())
    patterns = DEFAULT_REPETITION if varied or not repetition_patterns else repetition_patterns
    parts = [] if varied else _repeated_parts(bar_count, drawn_form)
    matching = {
        pattern: count
        for pattern, count in patterns.items()
        if section_letters(pattern) == drawn_form
        or (
            patterns is repetition_patterns
            and len(set(section_letters(pattern))) < PATTERN_BARS // PHRASE_BARS
        )
    }
    if parts:
        form, lengths = "ABCDEFGH"[: len(parts)], parts
        pattern = _sample_sorted(patterns, rng)
        if lengths == [PART_BARS, PART_BARS]:
            draft.place_pattern(0, pattern, (0, PART_BARS))
            draft.cadence_bars |= {PART_BARS - 1, PATTERN_BARS - 1}
        else:
            _place_sections(draft, form, lengths, pattern)
    elif bar_count == PATTERN_BARS and matching:
        pattern = _sample_sorted(matching, rng)
        form, lengths = section_letters(pattern), [PHRASE_BARS] * (PATTERN_BARS // PHRASE_BARS)
        draft.place_pattern(0, pattern, (0, PART_BARS))
        draft.cadence_bars |= {PART_BARS - 1, PATTERN_BARS - 1}
    else:
        form, lengths = _section_lengths(bar_count, drawn_form)
        _place_sections(draft, form, lengths, _sample_sorted(patterns, rng))
        _rhyme_end(draft, form, bar_count, rng, config)
    sections = tuple(int(start) for start in np.cumsum([0, *lengths[:-1]]))
    if varied:
        draft.varied_bars |= draft.copied_bars
        draft.copied_bars.clear()
        draft.cadence_bars = {bar_count - 1}  # in a solo only the end of the tune is a cadence
    if cadence_bars:
        draft.cadence_bars |= set(range(cadence_bars - 1, bar_count, cadence_bars))
    spans = _cut_spans(bar_count, set(sections), draft, cadence_bars or PHRASE_BARS)
    return FormPlan(form, sections, bar_count, spans, repeated=bool(parts))


def _repeated_parts(bar_count: int, form: str) -> list[int]:
    """Bars of each part of a dance whose parts are played twice; empty for another form.

    Two parts where the form names two and they have 4, 8 or 16 bars; else parts of 8 or 16.
    """
    letters = form[::2]
    if letters != form[1::2] or len(set(letters)) < len(letters) or bar_count % PHRASE_BARS:
        return []
    length, rest = divmod(bar_count, len(letters))
    if not rest and length in SECTION_LENGTHS:
        return [length] * len(letters)
    if bar_count < 2 * PART_BARS:  # 4 or 12 bars; 8 where the form names another number of parts
        return [PHRASE_BARS, bar_count - PHRASE_BARS] if bar_count > PHRASE_BARS else [bar_count]
    longest = 2 * PART_BARS
    length = longest if bar_count > longest and not bar_count % longest else PART_BARS
    lengths = [length] * (bar_count // length)
    lengths[-1] += bar_count % length
    return lengths


def _sample_sorted(weights: Mapping[str, float], rng: np.random.Generator) -> str:
    """Draw a name by its weight; the order of the mapping does not matter."""
    return sample_weighted(dict(sorted(weights.items())), rng)


def _place_sections(draft: _FormDraft, form: str, lengths: list[int], pattern: str) -> None:
    """Copy sections whose letter came before, and repeat bars within the new ones by a pattern."""
    first_of: dict[str, int] = {}
    start = 0
    for index, (letter, length) in enumerate(zip(form, lengths, strict=True)):
        original = first_of.setdefault(letter, start)
        is_copy = original < start
        if is_copy:
            copied = length if length > PHRASE_BARS else length - 1  # else a second ending
            draft.copied_bars |= {start + bar: original + bar for bar in range(copied)}
        elif length == PATTERN_BARS:
            draft.place_pattern(start, pattern, (start, start + PART_BARS))
            draft.cadence_bars.add(start + PART_BARS - 1)
        elif length == PART_BARS:
            symbols = pattern[:PART_BARS] if len(first_of) == 1 else pattern[PART_BARS:]
            draft.place_pattern(start, symbols, (0, start))
        if is_copy or length > PHRASE_BARS or index == len(form) - 1:
            draft.cadence_bars.add(start + length - 1)
        start += length


def _rhyme_end(
    draft: _FormDraft,
    form: str,
    bar_count: int,
    rng: np.random.Generator,
    config: GenerationConfig,
) -> None:
    """Let the last bar copy the first cadence, with the probability of the config."""
    last, first_cadence = bar_count - 1, min(draft.cadence_bars)
    both_new = last not in draft.copied_bars and first_cadence not in draft.copied_bars
    if (
        len(form) > 2
        and rng.random() < config.rhyming_end_probability
        and first_cadence < last
        and both_new
    ):
        draft.copied_bars[last] = first_cadence


def _section_lengths(bar_count: int, form: str) -> tuple[str, list[int]]:
    """Give each section of a form its bars, or find a form for this number of bars."""
    length, rest = divmod(bar_count, len(form))
    if not rest and length in SECTION_LENGTHS:
        return form, [length] * len(form)
    for length in SECTION_LENGTHS:
        count, rest = divmod(bar_count, length)
        if not rest and 1 < count < 9 and length <= PART_BARS:
            return DEFAULT_FORMS[count], [length] * count
    lengths = [PHRASE_BARS] * (bar_count // PHRASE_BARS)
    rest = bar_count % PHRASE_BARS
    if rest > 1 or not lengths:
        lengths.append(rest)
    else:
        lengths[-1] += rest
    letters = "AABBCCDDEEFFGGHH"[: len(lengths)]
    if len(lengths) > 1 and lengths[-1] != PHRASE_BARS:
        letters = letters[:-1] + chr(ord(max(letters[:-1])) + 1)
    return letters, lengths


def _cut_spans(
    bar_count: int, sections: set[int], draft: _FormDraft, phrase_bars: int
) -> tuple[FormSpan, ...]:
    """Cut the tune at sections and phrases, and where a copy or variation begins or ends.

    Copies also cut the bars that they copy.
    """
    cuts = {0, bar_count} | sections
    for section in sections:
        cuts |= set(range(section, bar_count, phrase_bars))
    copies = draft.copied_bars
    varied = {bar: source for bar, source in draft.varied_bars.items() if bar not in copies}
    for sources, cut_source in ((copies, True), (varied, False)):
        for bar, source in sources.items():
            if sources.get(bar - 1) != source - 1:
                cuts |= {bar, source} if cut_source else {bar}
            if sources.get(bar + 1) != source + 1:
                cuts |= {bar + 1, source + 1} if cut_source else {bar + 1}
    edges = sorted(cut for cut in cuts if cut <= bar_count)
    final = {bar_count - 1}
    while (earlier := copies.get(min(final))) is not None:
        final.add(earlier)
    cadences = draft.cadence_bars | final

    def span(first: int, end: int) -> FormSpan:
        copied_bar, varied_bar = copies.get(first), varied.get(first)
        previous = copies.get(first - 1, varied.get(first - 1))
        is_new = copied_bar is None and varied_bar is None
        is_past = previous is not None and previous + 1 + end - first <= first
        return FormSpan(
            first,
            end - first,
            copied_bar,
            cadence=end - 1 in cadences,
            final=end - 1 in final,
            varies=varied_bar,
            avoids=previous + 1 if is_new and previous is not None and is_past else None,
        )

    return tuple(span(first, end) for first, end in pairwise(edges))
