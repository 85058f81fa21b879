"""What can go wrong, as a family tree.

* MstError                     something a person can understand and mend
  - ScoreError
    + UnreadableScore          the bytes are not a file we can read
    + NoMelody                 a file without a melody in it
    + TooLong                  more notes, bars or seconds than the limits allow
    + ParserStopped            a file that took too much time or memory, or broke its reader
    + UnwritableRhythm         a note off the finest grid that notes are written on
  - StyleError
    + UnknownStyle             no folder of that name
    + BrokenStyle              a style folder that cannot be loaded
  - RequestError
    + BadOption                an option with a value that makes no sense
    + NoSuchTune               constraints that no tune of the style can meet
  - SoundError
    + NoSoundFont              the instruments are missing
    + NoSound                  a render that gave silence or nothing
    + NoEncoder                an audio file that ffmpeg could not write
  - EngineError
    + EngineBusy               overloaded: try again later
    + EngineLost               the engine died under the job: may be run again
    + JobTimeout               a job that took too long and was given up: not to be run again
    + EngineFault              a bug, with a reference to the log

Every error takes positional text arguments only, fills its ``sentence`` with them, and crosses a
process boundary as ``(code, arguments)``. The core never apologises; the bot words errors in the
user's language from the same code and arguments.
"""

from __future__ import annotations

from typing import ClassVar


class MstError(Exception):
    """A fault with one clear sentence. ``sentence`` is a format string over the arguments."""

    sentence: ClassVar[str] = "{0}"
    retryable: ClassVar[bool] = False

    def __init__(self, *arguments: object) -> None:
        self.arguments: tuple[str, ...] = tuple(str(argument) for argument in arguments)
        super().__init__(*self.arguments)

    def __str__(self) -> str:
        return self.sentence.format(*self.arguments)

    @property
    def code(self) -> str:
        """The name of the class: the key of its text in every language."""
        return type(self).__name__


class ScoreError(MstError):
    """A file that does not give a melody."""


class UnreadableScore(ScoreError):
    """Arguments: what is wrong, what would be accepted."""

    sentence = "{0}; {1}"


class NoMelody(ScoreError):
    """Arguments: what was looked at."""

    sentence = "there is no melody in {0}; it must hold at least two notes that sound"


class TooLong(ScoreError):
    """Arguments: the quantity found, the limit with its unit."""

    sentence = "too long: {0}, where at most {1} are accepted"


class ParserStopped(ScoreError):
    """Arguments: what was seen of the end."""

    sentence = "reading this file was given up: {0}; a smaller or plainer file may do"


class UnwritableRhythm(ScoreError):
    """Arguments: the bar, where in it."""

    sentence = (
        "bar {0} has a note that begins or ends {1}; written music goes in steps of 1/24 quarter"
    )


class StyleError(MstError):
    """A style that cannot be used."""


class UnknownStyle(StyleError):
    """Arguments: the name asked for, the names that there are."""

    sentence = "there is no style called {0!r}; there are: {1}"


class BrokenStyle(StyleError):
    """Arguments: the style, what is wrong with its folder."""

    sentence = "the style {0!r} cannot be loaded: {1}"


class RequestError(MstError):
    """A request that makes no sense."""


class BadOption(RequestError):
    """Arguments: the option, the value given, what would be accepted."""

    sentence = "{0} cannot be {1!r}: {2}"


class NoSuchTune(RequestError):
    """Arguments: what cannot be met."""

    sentence = "no tune meets this: {0}; try other bars, another meter or another seed"


class SoundError(MstError):
    """A tune that could not be made to sound."""


class NoSoundFont(SoundError):
    """Arguments: where it was looked for."""

    sentence = (
        "no SoundFont was found at {0}; install fluid-soundfont-gm or set MST_SOUNDFONT to a .sf2"
    )


class NoSound(SoundError):
    """Arguments: what came instead of sound."""

    sentence = "the synthesizer gave no sound: {0}"


class NoEncoder(SoundError):
    """Arguments: the format, what stands in the way."""

    sentence = "{0} cannot be written: {1}"


class EngineError(MstError):
    """A fault of the engine, not of the request."""


class EngineBusy(EngineError):
    """Arguments: how many jobs run already."""

    sentence = "the engine is busy with {0} jobs; try again in a moment"
    retryable = True


class EngineLost(EngineError):
    """Arguments: what was seen of the end."""

    sentence = "the engine stopped while it worked on this: {0}"
    retryable = True


class JobTimeout(EngineError):
    """Arguments: the limit in seconds."""

    sentence = "this took longer than {0} seconds and was given up; try fewer bars or another seed"


class EngineFault(EngineError):
    """Arguments: the reference under which the log has the whole story."""

    sentence = "something went wrong inside; the log has it under {0}"


def all_errors() -> dict[str, type[MstError]]:
    """Map each code to its class, the whole family."""
    family: dict[str, type[MstError]] = {}
    waiting: list[type[MstError]] = [MstError]
    while waiting:
        member = waiting.pop()
        family[member.__name__] = member
        waiting.extend(member.__subclasses__())
    return family


def rebuild_error(code: str, arguments: tuple[str, ...]) -> MstError:
    """Make the error again that another process raised."""
    return all_errors().get(code, MstError)(*arguments)
