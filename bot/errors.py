"""What the bot itself refuses. They join the core's family of errors: one door words them all."""

from __future__ import annotations

from mst_core.errors import RequestError


class RequestRejected(RequestError):
    """A request that makes sense, but not here, not now or not from this person."""


class TooManyOpen(RequestRejected):
    """Arguments: how many requests of one person may be open at a time."""

    sentence = "at most {0} requests of one person may be open at a time"


class TooSoon(RequestRejected):
    """Arguments: seconds to wait."""

    sentence = "wait {0} s before the next request"


class RequestNotFound(RequestRejected):
    """Arguments: the number of the request."""

    sentence = "request {0} is no longer kept"


class NotRequester(RequestRejected):
    """No arguments."""

    sentence = "only the person who asked for it may do that"


class TooLarge(RequestRejected):
    """Arguments: the size of the sound and the size accepted here, both in megabytes."""

    sentence = "the sound has {0} MB, and this channel takes {1} MB"


class NoAttachment(RequestRejected):
    """Arguments: what is accepted."""

    sentence = "there is no file of a tune at this message; {0}"


class LostFile(RequestRejected):
    """Arguments: the name of the file."""

    sentence = "{0} is no longer kept"


class DownloadFailed(RequestRejected):
    """Arguments: the name of the file."""

    sentence = "Discord did not hand over {0}"


class NoRhythmTarget(RequestRejected):
    """No arguments."""

    sentence = "name a style, or one tune to be like"


class NoTarget(RequestRejected):
    """No arguments."""

    sentence = "say what the tune shall get: a style, or one tune to be like"


class ConflictingOptions(RequestRejected):
    """Arguments: the option of a style, the option of one tune to be like."""

    sentence = "name either a style with {0}, or one tune with {1}"


class MissingOption(RequestRejected):
    """Arguments: the option that is missing."""

    sentence = "a new tune needs {0} too"


class OptionNeedsFile(RequestRejected):
    """Arguments: the option that a new tune does not have."""

    sentence = "{0} is about a tune that is sent"


class OptionForNewTunes(RequestRejected):
    """Arguments: the option that a given tune does not have."""

    sentence = "{0} is about new tunes"
