"""All errors that a user or a caller may see, as one class tree.

* MstError                     a fault that a person can understand and correct
  - ScoreError
    + UnreadableScore          the bytes are not a supported file
    + AudioFile                a recording: sound or video instead of notes
    + PictureFile              a picture of music instead of notes
    + ForeignScore             a file that only another program can read
    + NoMelody                 a file that contains no melody
    + TooLong                  more notes, bars or seconds than the limits allow
    + ParserStopped            the parser exceeded its time or memory, or crashed
    + UnwritableRhythm         a note off the grid of written music
  - StyleError
    + UnknownStyle             no style has that name
    + BrokenStyle              a style's folder cannot be loaded
  - RequestError
    + BadOption                an option has an invalid value
    + NoSuchTune               no tune of the style meets the constraints
  - SoundError
    + NoSoundFont              the SoundFont is missing or unreadable
    + NoSound                  the synthesizer gave silence or nothing
    + NoEncoder                ffmpeg could not write the audio file
  - EngineError
    + EngineBusy               all workers are busy: retry later
    + EngineLost               the worker process died during the job: may be retried
    + JobTimeout               the job exceeded its time limit: not to be retried
    + EngineFault              a bug, with a reference to the log

An error has positional text arguments only, which fill the format string ``sentence``. It crosses
a process boundary as ``(code, arguments)``, and the bot words it in the user's language from the
same two. The sentences never apologize.
"""

from __future__ import annotations

from typing import ClassVar


class MstError(Exception):
    """Base of all errors. Its text is ``sentence`` filled with the positional arguments."""

    sentence: ClassVar[str] = "{0}"
    """Format string over the arguments."""
    retryable: ClassVar[bool] = False
    """Whether the same request may succeed later."""

    def __init__(self, *arguments: object) -> None:
        self.arguments: tuple[str, ...] = tuple(str(argument) for argument in arguments)
        super().__init__(*self.arguments)

    def __str__(self) -> str:
        return self.sentence.format(*self.arguments)

    @property
    def code(self) -> str:
        """Name of the class, which is the key of its text in every language."""
        return type(self).__name__


class ScoreError(MstError):
    """A file from which no melody can be read."""


class UnreadableScore(ScoreError):
    """Arguments: what is wrong, what would be accepted."""

    sentence = "{0}; {1}"


class AudioFile(ScoreError):
    """Arguments: the file, its format."""

    sentence = (
        "{0} is a recording ({1}), and no notes can be read from sound; send the tune as a"
        " MIDI (.mid), ABC (.abc) or MusicXML (.musicxml, .mxl) file"
    )


class PictureFile(ScoreError):
    """Arguments: the file, its format."""

    sentence = (
        "{0} is a picture ({1}), and no notes can be read from it; open the score in the program"
        " that made it and export it as MusicXML or MIDI"
    )


class ForeignScore(ScoreError):
    """Arguments: the file, the program that reads it, the command there that exports notes."""

    sentence = (
        "{0} is a {1} file; open it in a program that reads it, export it as MusicXML or MIDI"
        " ({2}), and send that file"
    )


class NoMelody(ScoreError):
    """Arguments: the file or part that was searched."""

    sentence = "there is no melody in {0}; it needs at least two notes"


class TooLong(ScoreError):
    """Arguments: the quantity found, the limit with its unit."""

    sentence = "too long: {0}, where at most {1} are accepted"


class ParserStopped(ScoreError):
    """Arguments: how the parser ended."""

    sentence = "the file could not be read: {0}; try a smaller or simpler file"


class UnwritableRhythm(ScoreError):
    """Arguments: the bar, the position in it."""

    sentence = (
        "bar {0} has a note that begins or ends {1}; notes are written on a grid of 1/24 quarter"
    )


class StyleError(MstError):
    """A style that cannot be used."""


class UnknownStyle(StyleError):
    """Arguments: the requested name, the names that exist."""

    sentence = "there is no style called {0!r}; there are: {1}"


class BrokenStyle(StyleError):
    """Arguments: the style, what is wrong with its folder."""

    sentence = "the style {0!r} cannot be loaded: {1}"


class RequestError(MstError):
    """A request that is invalid."""


class BadOption(RequestError):
    """Arguments: the option, the value given, what would be accepted."""

    sentence = "{0} cannot be {1!r}: {2}"


class NoSuchTune(RequestError):
    """Arguments: the constraints that cannot be met."""

    sentence = "no tune meets this: {0}; try other bars, another meter or another seed"


class SoundError(MstError):
    """A tune that could not be turned into audio."""


class NoSoundFont(SoundError):
    """Arguments: the paths that were tried."""

    sentence = (
        "no SoundFont was found at {0}; install fluid-soundfont-gm or set MST_SOUNDFONT to a .sf2"
    )


class NoSound(SoundError):
    """Arguments: what the synthesizer returned instead of sound."""

    sentence = "the synthesizer gave no sound: {0}"


class NoEncoder(SoundError):
    """Arguments: the format, the reason."""

    sentence = "{0} cannot be written: {1}"


class EngineError(MstError):
    """A fault of the engine, not of the request."""


class EngineBusy(EngineError):
    """Arguments: the number of running jobs."""

    sentence = "the engine is busy with {0} jobs; try again in a moment"
    retryable = True


class EngineLost(EngineError):
    """Arguments: how the worker process ended."""

    sentence = "the engine stopped while it worked on this: {0}"
    retryable = True


class JobTimeout(EngineError):
    """Arguments: the limit in seconds."""

    sentence = "this took longer than {0} seconds and was stopped; try fewer bars or another seed"


class EngineFault(EngineError):
    """Arguments: the reference of the traceback in the log."""

    sentence = "internal error; the log has it under {0}"


def all_errors() -> dict[str, type[MstError]]:
    """Return all error classes by their codes, the base class included."""
    found: dict[str, type[MstError]] = {}
    pending: list[type[MstError]] = [MstError]
    while pending:
        error = pending.pop()
        found[error.__name__] = error
        pending.extend(error.__subclasses__())
    return found


def rebuild_error(code: str, arguments: tuple[str, ...]) -> MstError:
    """Return the error that another process raised.

    Args:
        code: name of the error's class; an unknown one gives an `MstError`.
        arguments: its positional arguments.

    Returns:
        A new error of that class.
    """
    return all_errors().get(code, MstError)(*arguments)
