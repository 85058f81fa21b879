"""What the bot itself refuses. They join the core's family of errors: one door words them all."""

from __future__ import annotations

from mst_core.errors import RequestError


class Refusal(RequestError):
    """A request that makes sense, but not here, not now or not from this person."""


class TooManyOpen(Refusal):
    """Arguments: how many requests of one person may be open at a time."""

    sentence = "at most {0} requests of one person may be open at a time"


class TooSoon(Refusal):
    """Arguments: seconds to wait."""

    sentence = "wait {0} s before the next request"


class Forgotten(Refusal):
    """Arguments: the number of the request."""

    sentence = "request {0} is no longer kept"


class NotYours(Refusal):
    """No arguments."""

    sentence = "only the person who asked for it may do that"


class TooLarge(Refusal):
    """Arguments: the size of the sound and the size accepted here, both in megabytes."""

    sentence = "the sound has {0} MB, and this channel takes {1} MB"


class NoFile(Refusal):
    """Arguments: what is accepted."""

    sentence = "there is no file of a tune at this message; {0}"


class LostFile(Refusal):
    """Arguments: the name of the file."""

    sentence = "{0} is no longer kept"


class NotFetched(Refusal):
    """Arguments: the name of the file."""

    sentence = "Discord did not hand over {0}"


class NoRhythmNamed(Refusal):
    """No arguments."""

    sentence = "name a style, or one tune to be like"


class NothingNamed(Refusal):
    """No arguments."""

    sentence = "say what the tune shall get: a style, or one tune to be like"


class TwoNamed(Refusal):
    """Arguments: the option of a style, the option of one tune to be like."""

    sentence = "name either a style with {0}, or one tune with {1}"


class SideMissing(Refusal):
    """Arguments: the option that is missing."""

    sentence = "a new tune needs {0} too"


class ForGivenTunes(Refusal):
    """Arguments: the option that a new tune does not have."""

    sentence = "{0} is about a tune that is sent"


class ForNewTunes(Refusal):
    """Arguments: the option that a given tune does not have."""

    sentence = "{0} is about new tunes"
