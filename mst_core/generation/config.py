"""The tunable constants of generating and selecting new melodies.

A module of its own so that every other module of generation and composing may take it as an
argument. Where the values come from: docs/decisions.md, section "Generation and composing".
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GenerationConfig:
    """What an experiment may change without editing a module; `Composer.open` takes one."""

    candidate_count: int = 12
    """Candidates that are generated for a tune, in one batch."""

    temperature: float = 0.95
    """Logits are divided by this before softmax, in styles whose tunes repeat phrases."""
    top_p: float = 0.95
    """Probability mass kept in sampling, most probable tokens first, in the same styles."""
    varied_temperature: float = 1.0
    """`temperature` in styles whose tunes seldom repeat (docs/decisions.md#solo-sampling)."""
    varied_top_p: float = 0.99
    """`top_p` in styles whose tunes seldom repeat."""
    min_repeated_phrase_share: float = 0.4
    """Below this share of tunes with a repeated phrase, a style varies instead of repeating."""

    event_coverage: float = 0.98
    """Share of a meter's events kept in the lattice (docs/decisions.md#event-coverage)."""
    min_density: float = 0.8
    """Fewest notes of a span, as a multiple of the style's 10th percentile of notes per bar."""
    max_density: float = 1.2
    """Most notes of a span, as a multiple of the style's 90th percentile of notes per bar."""

    second_ending_probability: float = 0.2
    """Probability that a repeated part gets a first ending beside its own last bar, the second."""
    ending_candidate_count: int = 4
    """First endings that are generated for a part, of which one is selected."""
    max_final_step: int = 4
    """Semitones; a wider interval into the last note of a cadence is a leap."""
    leaping_cadence_penalty: float = 0.5
    """Cost of a candidate for each cadence that is reached by a leap."""
    breath_probability: float = 0.5
    """Probability that a phrase of a style that seldom repeats ends with a note and a rest."""
    min_hymn_cadence_ticks: int = 48
    """Duration of the last note of a phrase where every phrase ends with a cadence."""
    compass_weight: float = 0.12
    """Cost of a candidate for each semitone by which its compass differs from the drawn one."""
    outside_penalty: float = 2.0
    """Cost per share of notes (0 to 1) outside the scale beyond the share of the style."""
    other_key_penalty: float = 0.3
    """Cost of a candidate whose notes fit another key, major or minor, better than its own."""
    rhyming_end_probability: float = 0.6
    """Probability that the last bar copies the first cadence of the tune."""
    variation_keep: float = 0.8
    """Probability given to the pitch (or duration, at least) of the bar that a span varies."""
    variation_cap: float = 0.4
    """Upper bound on the probability of the pitch that a span should avoid."""

    min_reference_tunes: int = 10
    """Profiles of a meter from which one tune is drawn as the reference; below, all are pooled."""
    reference_prior_weight: float = 0.25
    """Weight of the reference tune's duration prior against the network, pitches free."""
    varied_prior_weight: float = 0.05
    """The same in styles whose tunes seldom repeat."""
    target_prior_weight: float = 0.5
    """Weight of the target tune's duration prior against the network, pitches given."""
    lookahead_weight: float = 0.35
    """Exponent on the lattice's completion probability with given pitches; 0: no look-ahead."""

    likelihood_weight: float = 0.02
    """Cost of a candidate per nat of negative log-likelihood of its copies and cadences."""
    repeated_note_penalty: float = 0.1
    """Cost of each note beyond `max_repeated_notes` in the longest run of one pitch."""
    max_repeated_notes: int = 3
    """Equal pitches in a row that cost nothing."""
    few_pitches_penalty: float = 0.3
    """Cost of a candidate with fewer than `min_distinct_pitches`."""
    min_distinct_pitches: int = 6
    """Distinct pitches that a candidate should have."""
    min_variation_overlap: float = 0.6
    """Overlap (0 to 1) of two sections' first bars from which they count as alike."""
    min_bar_notes: int = 3
    """A bar with fewer notes repeats nothing."""
    section_similarity_penalty: float = 0.5
    """Cost per unit of overlap (0 to 1) of the first bars of two different sections."""
    unplanned_repetition_penalty: float = 0.04
    """Cost of each bar that repeats an earlier bar although the form plan has it new."""
