"""Ticks become seconds by the tempo changes of a file."""

from __future__ import annotations

import pytest

from mst_core.reading.midi.tempo_map import TempoMap, quarters_per_minute


def test_without_a_tempo_a_quarter_lasts_half_a_second() -> None:
    tempo_map = TempoMap([], 96)
    assert not tempo_map.is_specified
    assert tempo_map.seconds(192) == pytest.approx(1)


def test_seconds_add_up_over_tempo_changes() -> None:
    tempo_map = TempoMap([(0, 1_000_000), (96, 250_000)], 96)
    assert [tempo_map.seconds(tick) for tick in (48, 96, 480)] == pytest.approx([0.5, 1, 2])


def test_a_change_to_the_same_tempo_is_dropped() -> None:
    assert TempoMap([(0, 600_000), (96, 600_000), (192, 400_000)], 96).changes == [
        (0, 600_000),
        (192, 400_000),
    ]


def test_the_main_tempo_holds_for_most_seconds_of_the_range() -> None:
    tempo_map = TempoMap([(0, 1_000_000), (100, 500_000), (400, 600_000)], 96)
    assert tempo_map.main_tempo(0, 410) == 120
    assert tempo_map.main_tempo(0, 150) == 60
    assert tempo_map.main_tempo(350, 900) == 100


def test_with_a_tempo_for_every_beat_the_main_tempo_is_their_middle() -> None:
    beats = [(quarter * 96, round(60e6 / (100 + (-1) ** quarter * 3.3))) for quarter in range(32)]
    slow = [(tick, 1_500_000) if tick == 12 * 96 else (tick, each) for tick, each in beats]
    without = [each for each in slow if not 12 * 96 < each[0] < 15 * 96]
    assert 96 <= TempoMap(without, 96).main_tempo(0, 32 * 96) <= 104


def test_a_count_in_has_no_say_in_the_main_tempo() -> None:
    tempo_map = TempoMap([(0, 1_000_000), (384, 400_000)], 96)
    assert tempo_map.main_tempo(384, 384 + 96 * 16) == 150


@pytest.mark.parametrize("tempo", [60, 100, 110, 120, 133, 168, 72.5, 99.9, 104.125])
def test_the_tempo_that_was_rounded_to_microseconds_is_found_again(tempo: float) -> None:
    assert quarters_per_minute(round(60e6 / tempo)) == tempo
