"""The tunable constants of transfer, as one value that is passed down from `StyleTransfer`.

This module stands alone so that an experiment can change a constant without importing the
optimizer. The reasons for the values are in docs/decisions.md, section "Transfer".
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class TransferConfig:
    """Every tunable constant of the transfer of rhythm and pitch, with its default."""

    # Rhythm target: which rhythms of the style a given tune may get.
    coverage: float = 0.97
    """Share of the style's events that the allowed rhythms make up, most frequent first.

    See docs/decisions.md#coverage."""
    wider_coverages: tuple[float, ...] = (0.99, 0.998, 1.0)
    """Coverages tried in turn where the default ones cannot fill the tune's bars."""
    max_unplayable: float = 0.1
    """Share of a section's bar groups that may lack a rhythm before the next coverage is tried."""
    max_unplayable_in_tune: float = 0.5
    """Share of a tune's bar groups that may lack a rhythm; with more the transfer fails."""
    min_note_seconds: float = 0.07
    """Shortest written note at the tune's tempo. See docs/decisions.md#shortest-note."""
    dense: float = 1.1
    """Note values are doubled above this times the style's 90th percentile of notes a bar ..."""
    sparse: float = 0.7
    """... unless there are then fewer than this times the 10th percentile."""

    max_passing_bars: int = 2
    """Bars in a row that stay in a meter that the style lacks ..."""
    max_passing_share: float = 0.2
    """... unless such bars are more than this share of the tune."""

    # Rhythm drafts: what the duration network writes.
    rhythm_drafts: int = 24
    """Drafts of each section."""
    min_rhythm_drafts: int = 3
    """Drafts of a long section, at the least."""
    max_rhythm_draft_events: int = 12_000
    """Notes of all drafts of a section together: a long section gets fewer drafts."""
    max_style_rhythms: int = 40
    """Whole-bar rhythms of the style that are added to the drafts of one class of bars; of a long
    tune fewer, as of the drafts."""
    pooled_share: float = 0.4
    """Bars with as many notes share a rhythm where so large a share of a style's tunes' do."""
    max_pooled_rhythms: int = 120
    """Rhythms that are weighed for one class of bars, or for one pool of classes."""
    draft_temperatures: tuple[float, ...] = (0.8, 1.0, 1.15)
    """Sampling temperatures of the drafts, in turn."""

    # Anticipation.
    anticipated_bars: float = 0.1
    """Share of the bars that may begin an eighth early, where the style has that ..."""
    min_anticipated_share: float = 0.05
    """... in so large a share of its bars."""
    min_anticipated: Fraction = Fraction(1, 4)
    """Quarter notes that the last note before an early one lasts, at least."""

    # Similarity of rhythms.
    bigram_weight: float = 0.5
    """Weight of the profile of bigrams; the profile of positions and durations has the rest."""
    rhythm_log_odds_weight: float = 0.6
    """Weight of the log-odds against the tune's own style; the profiles have the rest.

    See docs/decisions.md#log-odds."""
    entropy_weight: float = 0.4
    """Weight of the duration entropy when drafts are compared; the similarity has the rest."""
    rhythm_progress: float = 1.2
    """Progress of the log-odds that a whole draft should have. See docs/decisions.md#gain-cap."""
    short_note: int = 6
    """Ticks: shorter notes than this should be no commoner than in the style ..."""
    short_weight: float = 4.0
    """... and each share of them beyond that lowers a whole draft's similarity by this."""
    rest_weight: float = 2.0
    """The same for rests a note beyond the style's."""
    rhythm_gain_cap: float = 2.2
    """Progress of the log-odds counts up to this; 1 is the mean of the target style's tunes.

    See docs/decisions.md#gain-cap."""
    tune_gain_cap: float = 1.0
    """The same where one tune is the target: more than it has itself is no more like it."""
    min_distance: float = 0.05
    """Nats an event: with less log-odds between tune and target only the profiles count."""
    max_log_odds: float = 4.0
    """Nats: the log-odds of one bigram are clipped to this, either way."""
    possible_events: int = 60
    """Durations and rests assumed possible at a position: before smoothing each has 1/60."""

    # Change path.
    max_tries: int = 48
    """Pieces weighed before each step, at the most. See docs/decisions.md#tries."""
    min_tries: int = 4
    """Pieces weighed before each step, at the least."""
    max_weighed_notes: int = 12_000
    """Pieces weighed times notes of the tune: a long tune weighs fewer pieces a step."""
    max_step: float = 0.1
    """Share of the notes that one step may change while smaller steps still bring a gain."""
    min_gain: float = 1e-9
    """Similarity gains up to this count as none."""
    rounds: int = 3
    """Passes of coordinate ascent over the classes when drafts are selected."""
    plain_durations: tuple[Fraction, ...] = tuple(Fraction(n, 4) for n in (1, 2, 3, 4, 6, 8, 12))
    """Quarter notes: durations that any intermediate rhythm may have, whatever the style."""

    # Pitch target and pitch drafts.
    pitch_drafts: int = 12
    """Drafts of the tune's pitches."""
    min_pitch_drafts: int = 3
    """Drafts of a long tune, at the least."""
    max_pitch_draft_events: int = 8_000
    """Events of all drafts together: a long tune gets fewer drafts."""
    pitch_temperature: float = 0.95
    """Sampling temperature of the pitch network."""
    pitch_top_p: float = 0.97
    """Probability mass kept by top-p sampling of pitches."""
    tune_weight: float = 0.8
    """Weight of a target tune's own statistics in the similarity; its style's have the rest."""
    interval_prior_weight: float = 0.4
    """Weight of a target tune's intervals in the sampling; the pitch network has the rest."""
    max_piece_notes: int = 4
    """Notes whose pitches change together, at the most."""

    # Similarity of pitches.
    pitch_log_odds_weight: float = 0.5
    """Weight of the log-odds against the tune's own style; the profile has the rest."""
    degree_weight: float = 0.4
    """Weight of scale degrees in the profile; pairs of intervals have the rest."""
    pitch_gain_cap: float = 1.0
    """Progress of the log-odds counts up to this; 1 is the mean of the target style's tunes."""
    interval_smoothing: float = 3.0
    """Notes' worth of the intervals' overall shares in the shares of what follows one interval."""

    # Bars of another tune: mashup, and drafts from a target tune.
    split_cost: float = 1.0
    """Cost of each note that a bar of the rhythm tune lacks."""
    drop_cost: float = 0.6
    """Cost of each note of a bar of the rhythm tune that gets no pitch."""
    skip_cost: float = 1.5
    """Cost of a bar that does not follow the one before it in the rhythm tune."""
    position_cost: float = 1.0
    """Cost of a bar from another position of the four-bar phrase."""
    min_split: Fraction = Fraction(1, 8)
    """Quarter notes: no note is split into anything shorter."""
    max_reference_rhythms: int = 60
    """Rhythms of a target tune that are added to the drafts of one class of bars."""
    max_note_count_change: int = 4
    """Notes that may be added to or dropped from such a rhythm."""

    # Cache.
    cached_tunes: int = 12
    """Change paths kept for further strengths. 100 notes take 0.1 MB, 1,500 notes some 4 MB."""
