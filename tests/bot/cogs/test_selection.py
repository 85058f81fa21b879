"""Another part of a file as the melody, another tune of a book: by option and below a result."""

from __future__ import annotations

from fractions import Fraction

import discord

from mst_core.music import Key, Melody, Meter, Note, Part, PartNote
from mst_core.notation.midi import write_midi
from tests.support.discord_env import DiscordEnv, last_message
from tests.support.fakes import mashup_request, transfer_request
from tests.support.uploads import send_rerhythm, write_reel

BOOK = b"".join(
    b"X:%d\nT:Tune %d\nM:4/4\nL:1/4\nK:C\nCDEF|GABc|cBAG|FEDC|]\n\n" % (number, number)
    for number in range(1, 4)
)


def write_duet() -> bytes:
    """A flute and an oboe that play in turn, as a MIDI file with two parts."""
    flute = [Note(Fraction(place), Fraction(1), 72 + place % 5) for place in range(32)]
    oboe = [PartNote(Fraction(place), Fraction(1), 67 + place % 5) for place in range(32)]
    melody = Melody(tuple(flute), Meter(4, 4), Key(0), 120.0, 8)
    return write_midi(melody, program=73, parts=[Part("Oboe", 68, drums=False, notes=tuple(oboe))])


def labels(message: discord.Message) -> list[str]:
    """The texts of the buttons below a message."""
    rows = [row for row in message.components if isinstance(row, discord.ActionRow)]
    buttons = [each for row in rows for each in row.children if isinstance(each, discord.Button)]
    return [str(button.label) for button in buttons]


async def test_a_button_takes_another_part_as_the_melody(server: DiscordEnv) -> None:
    await send_rerhythm(server, "duet.mid", write_duet(), seed=4)
    message = last_message(server.channel)
    assert [label for label in labels(message) if label.startswith("Melody: ")] == [
        "Melody: melody",
        "Melody: Oboe",
    ]
    await server.bob.click(message, label="Melody: Oboe")
    first, second = (transfer_request(job) for job in server.engine.jobs)
    assert (first.track, second.track) == (None, 2)
    assert (first.seed, first.rhythm) == (second.seed, second.rhythm)
    first_melody, second_melody = (job.scores[first.source].melody for job in server.engine.jobs)
    assert first_melody.pitches[0] == 72
    assert second_melody.pitches[0] == 67


async def test_a_file_with_one_part_has_nothing_to_choose(server: DiscordEnv) -> None:
    await send_rerhythm(server, "reel.mid", write_reel())
    assert not [label for label in labels(last_message(server.channel)) if "Melody" in label]


async def test_a_list_below_the_result_takes_another_tune_of_the_book(server: DiscordEnv) -> None:
    await send_rerhythm(server, "book.abc", BOOK, seed=4)
    await server.bob.select(last_message(server.channel), ["3"])
    first, second = server.engine.jobs
    source = transfer_request(first).source
    assert [job.scores[source].title for job in (first, second)] == ["Tune 1", "Tune 3"]
    assert (transfer_request(second).tune, transfer_request(second).seed) == (3, 4)


async def test_tune_and_track_are_options_of_every_command_with_a_file(server: DiscordEnv) -> None:
    await send_rerhythm(server, "book.abc", BOOK, tune=2)
    options = {"file": ("book.abc", BOOK), "pitch": "folk", "tune": 3}
    await server.alice.slash(server.channel, "transfer", **options)
    options = {"a": ("book.abc", BOOK), "b": ("reel.mid", write_reel()), "tune": 2, "track": 1}
    await server.alice.slash(server.channel, "mashup", **options)
    first, second, third = server.engine.jobs
    assert (transfer_request(first).tune, transfer_request(second).tune) == (2, 3)
    assert (mashup_request(third).tune, mashup_request(third).track) == (2, 1)
