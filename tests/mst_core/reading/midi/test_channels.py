"""Programs, controllers, bends and drums belong to a channel of the whole file."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import pytest

from mst_core.music import ControlEvent
from mst_core.reading.midi.parts import MidiPart, read_midi_parts
from mst_core.reading.midi.read import read_midi
from mst_core.reading.parsed_score import Limits
from tests.support.midi_files import END, raw
from tests.tools.hostile.midi import number, scale

QUARTER = 96
GS_DRUMS = b"\x41\x10\x42\x12\x40\x1b\x15\x02\x0e\xf7"  # channel 12 plays drums
GS_NO_DRUMS = b"\x41\x10\x42\x12\x40\x10\x15\x00\x1b\xf7"  # channel 10 does not
XG_ON = b"\x43\x10\x4c\0\0\x7e\0\xf7"
XG_DRUMS = b"\x43\x10\x4c\x08\x03\x07\x02\xf7"  # channel 4 plays drums
GM2_ON = b"\x7e\x7f\x09\x03\xf7"


def at(*events: tuple[int, bytes]) -> bytes:
    """A track of messages at their ticks."""
    track, now = b"", 0
    for tick, message in events:
        track += number(tick - now) + message
        now = tick
    return track


def program(value: int, channel: int = 0) -> bytes:
    return bytes((0xC0 | channel, value))


def control(name: int, value: int, channel: int = 0) -> bytes:
    return bytes((0xB0 | channel, name, value))


def exclusive(content: bytes) -> bytes:
    return b"\xf0" + number(len(content)) + content


def tune(channel: int = 0, notes: int = 8) -> bytes:
    """Quarters on a channel, from tick 0."""
    return scale(notes, channel, QUARTER)


def parts(*tracks: bytes, form: int = 1, limits: Limits | None = None) -> Sequence[MidiPart]:
    return read_midi_parts(
        raw(*(each + END for each in tracks), form=form), limits or Limits()
    ).parts


def test_a_first_track_sets_the_programs_of_all_channels() -> None:
    setup = at((0, program(73, 0)), (0, program(33, 1)), (0, program(48, 2)))
    found = parts(setup, tune(0), tune(1), tune(2))
    assert [each.program for each in found] == [73, 33, 48]


def test_a_set_up_bar_before_the_first_note_counts() -> None:
    setup = at((0, program(1)), (90, program(73)))
    late = number(QUARTER) + tune()[1:]
    assert [each.program for each in parts(setup, late)] == [73]


def test_a_track_without_a_program_shares_that_of_its_channel() -> None:
    found = parts(at((0, program(24))) + tune(), tune())
    assert [each.program for each in found] == [24, 24]


def test_a_program_of_the_track_itself_comes_before_that_of_another() -> None:
    found = parts(at((0, program(73))) + tune(), at((0, program(40))) + tune())
    assert [each.program for each in found] == [73, 40]


def test_a_set_up_on_another_port_does_not_count() -> None:
    def port(value: int) -> bytes:
        return at((0, b"\xff\x21\x01" + bytes([value])))

    setup = port(1) + at((0, program(73)))
    found = parts(setup, port(0) + tune(), port(1) + tune())
    assert [each.program for each in found] == [None, 73]


def test_a_program_after_the_first_note_of_another_track_is_a_change_on_the_way() -> None:
    (found,) = parts(at((0, program(24)), (2 * QUARTER, program(30))), tune())
    assert found.program == 24
    assert found.controls == ((2 * QUARTER, "program", 30, 0),)


def test_volume_pan_expression_pedal_and_modulation_are_kept_in_order() -> None:
    score = read_midi(
        raw(
            at((0, control(7, 90)), (0, control(10, 20)), (0, control(91, 40)))
            + at((0, control(11, 100)), (0, control(64, 127)), (0, control(1, 10)))
            + tune()
            + at((0, control(11, 50)))
            + tune()
            + END
        )
    )
    assert score.controls == (
        ControlEvent(Fraction(0), "control", 1, 10),
        ControlEvent(Fraction(0), "control", 7, 90),
        ControlEvent(Fraction(0), "control", 10, 20),
        ControlEvent(Fraction(0), "control", 11, 100),
        ControlEvent(Fraction(0), "control", 64, 127),
        ControlEvent(Fraction(8), "control", 11, 50),
    )


def test_what_changes_nothing_is_left_out() -> None:
    events = at(
        (0, control(7, 90)), (96, control(7, 90)), (97, control(64, 0)), (98, b"\xe0\0\x40"),
        (99, program(0)), (100, control(7, 80)), (100, control(7, 70)),
    )  # fmt: skip
    (found,) = parts(at((0, program(0))) + events, tune())
    assert found.controls == ((0, "control", 7, 90), (100, "control", 7, 70))


def test_a_pedal_is_down_or_up() -> None:
    depths = (0, 30, 70, 127, 64, 63, 10, 80)
    (found,) = parts(
        tune(), at(*((place * 9, control(64, depth)) for place, depth in enumerate(depths)))
    )
    assert found.controls == (
        (18, "control", 64, 70), (45, "control", 64, 63), (63, "control", 64, 80)
    )  # fmt: skip


def test_bends_come_with_their_range() -> None:
    bend_range = at((0, control(101, 0)), (0, control(100, 0)), (0, control(6, 12)))
    (found,) = parts(bend_range + at((0, control(99, 1)), (0, control(6, 5))) + tune(), at(
        (96, b"\xe0\x00\x60"), (192, b"\xe0\x00\x40"),
    ))  # fmt: skip
    assert found.controls == (
        (0, "control", 101, 0), (0, "control", 100, 0), (0, "control", 6, 12),
        (96, "bend", 0, 4096), (192, "bend", 0, 0),
    )  # fmt: skip


def test_a_bank_comes_before_its_program() -> None:
    later = ((96, control(0, 16)), (96, program(24)))
    setup = at((0, control(0, 8)), (0, control(32, 1)), (0, program(24)), *later)
    (found,) = parts(setup, tune())
    assert found.program == 24
    assert found.controls == (
        (0, "control", 0, 8), (0, "control", 32, 1), (0, "program", 24, 0),
        (96, "control", 0, 16), (96, "program", 24, 0),
    )  # fmt: skip


def test_a_reset_is_written_out() -> None:
    (found,) = parts(
        at((0, control(64, 127)), (0, control(11, 60))) + tune(), at((96, control(121, 0)))
    )
    assert found.controls == (
        (0, "control", 11, 60), (0, "control", 64, 127),
        (96, "control", 11, 127), (96, "control", 64, 0),
    )  # fmt: skip


def test_controllers_are_thinned_out_rather_than_refused() -> None:
    wheel = b"".join(b"\x01\xe0" + bytes((tick % 128, tick // 8 % 128)) for tick in range(700))
    whole = parts(tune(), wheel)[0].controls
    few = parts(tune(), wheel, limits=Limits(controls=300))[0].controls
    assert len(whole) == 700
    assert 10 < len(few) <= 100
    assert few[-1][3] == whole[-1][3]
    assert [tick for tick, *_ in few] == sorted({tick for tick, *_ in few})


def test_the_kit_of_the_drums_is_kept_and_banks_are_not() -> None:
    (found,) = parts(at((0, control(0, 127, 9)), (0, program(25, 9))) + tune(9))
    assert (found.drums, found.program, found.controls) == (True, 25, ())


@pytest.mark.parametrize(("setup", "channel", "drums"), [
    (at((0, exclusive(GS_DRUMS))), 11, True),
    (at((0, exclusive(GS_DRUMS))), 10, False),
    (at((0, exclusive(GS_NO_DRUMS))), 9, False),
    (at((0, exclusive(XG_DRUMS))), 3, True),
    (at((0, exclusive(XG_ON)), (0, control(0, 127, 3))), 3, True),
    (at((0, exclusive(XG_ON)), (0, control(0, 126, 3))), 3, True),
    (at((0, exclusive(XG_ON)), (0, control(0, 64, 3))), 3, False),
    (at((0, control(0, 127, 3))), 3, False),
    (at((0, exclusive(GM2_ON)), (0, control(0, 120, 3))), 3, True),
    (at((9 * QUARTER, exclusive(GS_DRUMS))), 11, False),
])  # fmt: skip
def test_channels_become_drums_as_the_file_says(setup: bytes, channel: int, drums: bool) -> None:
    assert [each.drums for each in parts(setup, tune(channel))] == [drums]


def test_a_whole_band_in_one_track_is_divided_by_channel() -> None:
    setup = at((0, program(73, 0)), (0, program(73, 1)), (0, program(33, 2)))
    band = tune(0) + tune(1) + tune(2) + tune(9)
    found = parts(setup, band)
    assert [(each.channel, each.program, each.drums) for each in found] == [
        (0, 73, False), (1, 73, False), (2, 33, False), (9, None, True)
    ]  # fmt: skip


def test_the_strings_of_a_guitar_are_one_player() -> None:
    setup = at(*((0, program(25, channel)) for channel in range(6)))
    guitar = b"".join(tune(channel, 2) for channel in range(6))
    (found,) = parts(setup, guitar)
    assert len(found.notes) == 12


@pytest.mark.parametrize("controller", [120, 123, 126])
def test_all_notes_off_ends_the_notes_that_sound(controller: int) -> None:
    on = bytes((0x90, 60, 80)), bytes((0x90, 64, 80)), bytes((0x91, 67, 80))
    track = at(
        (0, on[0]), (0, on[1]), (0, on[2]), (96, control(controller, 0)),
        (192, b"\x80\x40\0"), (192, on[1]), (288, b"\x80\x40\0"), (384, b"\x81\x43\0"),
    )  # fmt: skip
    (found,) = parts(track)
    assert [(each.onset, each.end, each.pitch) for each in found.notes] == [
        (0, 96, 60), (0, 96, 64), (0, 384, 67), (192, 288, 64)
    ]  # fmt: skip
    assert (found.unended, found.controls) == (0, ())


def test_channels_that_take_turns_are_one_player() -> None:
    turns = b"".join(tune(1 + place % 4, 1) for place in range(24))
    (found,) = parts(turns, form=0)
    assert len(found.notes) == 24


def test_channels_that_play_together_are_players_of_their_own() -> None:
    together = at(*(
        (96 * beat + 95 * off, bytes((0x90 | channel, 60 + channel, 0 if off else 80)))
        for beat in range(8) for off in (0, 1) for channel in range(4)
    ))  # fmt: skip
    assert [each.channel for each in parts(together, form=0)] == [0, 1, 2, 3]


def test_a_program_just_after_the_first_note_is_that_of_the_part() -> None:
    assert [each.program for each in parts(at((5, program(73))), tune())] == [73]
    assert [each.program for each in parts(at((97, program(73))), tune())] == [None]


@pytest.mark.parametrize(("name", "drums"), [
    (b"Drums", True), (b"DRUM KIT", True), (b"Percussion", True), (b"Schlagzeug", True),
    ("ドラムス".encode("shift-jis"), True), (b"Steel Drums", False), (b"Drummer", False),
    (b"Piano", False),
])  # fmt: skip
def test_percussion_on_another_channel_is_found_by_its_name(name: bytes, drums: bool) -> None:
    beat = b"".join(
        b"\0\x90" + bytes((36 + place % 3, 80)) + b"\x60\x80" + bytes((36 + place % 3, 0))
        for place in range(8)
    )
    score = read_midi_parts(
        raw(tune() + END, b"\0\xff\3" + bytes([len(name)]) + name + beat + END, form=1), Limits()
    )
    assert [each.drums for each in score.parts] == [False, drums]
    assert any("was taken as drums" in each for each in score.warnings) is drums


def test_a_named_instrument_that_plays_above_a_kit_is_no_percussion() -> None:
    name = b"\0\xff\3\x05Drums"
    high, higher = (name + bytes((0, 0x90, pitch, 80, 96, 0x80, pitch, 0)) for pitch in (72, 96))
    assert [each.drums for each in parts(tune(), high, higher)] == [False] * 3
