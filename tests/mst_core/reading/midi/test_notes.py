"""Note-on and note-off messages are paired into notes. Times are ticks, 96 to a quarter."""

from __future__ import annotations

from mst_core.reading.midi.messages import NOTE_OFF, NOTE_ON, MidiMessage
from mst_core.reading.midi.notes import MidiNote, pair_notes


def pair(
    *on_offs: tuple[int, int, int], is_percussion: bool = False
) -> tuple[tuple[MidiNote, ...], int, int]:
    """Pair (tick, pitch, velocity) on channel 0; velocity 0 is a note-off."""
    return pair_notes(
        (
            MidiMessage(tick, NOTE_ON if velocity else NOTE_OFF, 0, bytes((pitch, velocity)))
            for tick, pitch, velocity in on_offs
        ),
        96,
        is_percussion=is_percussion,
    )


def test_a_note_lasts_from_its_on_to_its_off() -> None:
    paired = pair((0, 60, 80), (96, 60, 0), (96, 64, 90), (192, 64, 0))
    assert paired == ((MidiNote(0, 96, 60, 80), MidiNote(96, 192, 64, 90)), 0, 0)


def test_the_last_unended_note_lasts_a_quarter_and_others_to_the_next_onset() -> None:
    found, unended, _ = pair((0, 60, 80), (48, 64, 80))
    assert [(note.onset, note.end) for note in found] == [(0, 48), (48, 144)]
    assert unended == 2


def test_of_two_open_notes_of_a_pitch_the_later_one_gets_the_end() -> None:
    found, unended, _ = pair((0, 60, 80), (96, 60, 80), (192, 60, 0))
    assert [(note.onset, note.end) for note in found] == [(0, 96), (96, 192)]
    assert unended == 1


def test_in_legato_the_earlier_note_gets_the_first_end() -> None:
    found, unended, _ = pair((0, 60, 80), (90, 60, 80), (96, 60, 0), (192, 60, 0))
    assert [(note.onset, note.end) for note in found] == [(0, 90), (90, 192)]
    assert unended == 0


def test_a_note_that_is_struck_again_while_it_sounds_ends_there() -> None:
    found, unended, _ = pair((0, 60, 80), (96, 60, 80), (300, 60, 0), (400, 60, 0))
    assert [(note.onset, note.end) for note in found] == [(0, 96), (96, 400)]
    assert unended == 0


def test_drum_hits_without_a_length_are_kept_with_a_short_one() -> None:
    kick = [each for tick in (0, 96, 192) for each in ((tick, 36, 90), (tick + 48, 36, 0))]
    hat = [each for tick in (0, 48, 96) for each in ((tick, 42, 80), (tick, 42, 0))]
    early = [(144, 42, 0), (144, 42, 80)]
    played = sorted([*kick, *hat, *early], key=lambda each: each[0])
    found, unended, zero_length = pair(*played, is_percussion=True)
    assert [(n.onset, n.end - n.onset) for n in found if n.pitch == 42] == [
        (0, 12), (48, 12), (96, 12), (144, 12)
    ]  # fmt: skip
    assert [(n.onset, n.end - n.onset) for n in found if n.pitch == 36] == [
        (0, 48), (96, 48), (192, 48)
    ]  # fmt: skip
    assert (unended, zero_length) == (0, 0)


def test_a_drum_hit_without_a_length_ends_where_the_next_one_begins() -> None:
    roll = [each for tick in range(0, 24, 6) for each in ((tick, 38, 80), (tick, 38, 0))]
    found, _, _ = pair(*roll, is_percussion=True)
    assert [(note.onset, note.end) for note in found] == [(0, 6), (6, 12), (12, 18), (18, 30)]


def test_a_note_of_zero_length_is_left_out_and_counted() -> None:
    found, _, zero_length = pair((0, 60, 80), (0, 72, 80), (0, 72, 0), (96, 60, 0))
    assert [note.pitch for note in found] == [60]
    assert zero_length == 1


def test_an_end_without_a_note_is_ignored() -> None:
    assert pair((0, 60, 0), (10, 62, 0)) == ((), 0, 0)


def test_where_most_notes_have_no_length_they_are_kept() -> None:
    hits = [each for tick in (0, 48, 96) for each in ((tick, 38, 80), (tick, 38, 0))]
    found, unended, zero_length = pair(*hits)
    assert [note.onset for note in found] == [0, 48, 96]
    assert (unended, zero_length) == (3, 0)


def test_an_end_that_is_written_twice_takes_no_note_away() -> None:
    # The second end of the first note stands at the beginning of the next one, which has its own.
    found, unended, zero_length = pair(
        (0, 60, 80),
        (64, 60, 0),
        (96, 60, 0),
        (96, 60, 80),
        (192, 60, 0),
        (192, 60, 80),
        (288, 60, 0),
    )
    assert [(note.onset, note.end) for note in found] == [(0, 64), (96, 192), (192, 288)]
    assert (unended, zero_length) == (0, 0)


def test_a_note_of_zero_length_that_begins_alone_is_kept_with_a_short_one() -> None:
    found, _, zero_length = pair(
        (0, 60, 80), (48, 60, 0), (48, 62, 80), (48, 62, 0), (52, 64, 80), (96, 64, 0),
        (96, 48, 80), (96, 48, 0), (96, 52, 80), (96, 52, 0), (120, 65, 80), (192, 65, 0),
    )  # fmt: skip
    assert [(note.onset, note.end) for note in found] == [(0, 48), (48, 52), (52, 96), (120, 192)]
    assert zero_length == 2
