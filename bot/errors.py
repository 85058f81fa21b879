"""Errors of the bot itself: why it cannot start, and why it rejects a valid request.

It rejects one for its limits, its missing files or its options. Those errors extend
`mst_core.errors.RequestError`, and the name of a class is the key of its text in ``locale/``.
`Cancelled`, `TooLarge` and `LostFile` are also stored as codes of failed requests, so they are
never renamed (docs/decisions.md#error-codes).
"""

from __future__ import annotations

from mst_core.errors import RequestError


class StartupError(Exception):
    """The bot cannot start, such as without its database; the message is one sentence."""


class Restarting(RequestError):
    """No arguments."""

    sentence = "the bot is restarting"


class TooManyOpen(RequestError):
    """Arguments: the number of requests of one user that may be open at a time."""

    sentence = "at most {0} requests of one user may be open at a time"


class QueueFull(RequestError):
    """Arguments: the number of requests that wait."""

    sentence = "{0} requests are waiting already; try again in a few minutes"


class NoRoom(RequestError):
    """No arguments. The disk is nearly full, or the quota of the bot is used up."""

    sentence = "the bot has no room left for new requests"


class TooSoon(RequestError):
    """Arguments: seconds to wait."""

    sentence = "wait {0} s before the next request"


class StoreBusy(RequestError):
    """No arguments."""

    sentence = "the request could not be stored in time"


class RepeatedInteraction(RequestError):
    """No arguments. Discord sent the same command twice; nobody sees this."""

    sentence = "this command came twice"


class RequestNotFound(RequestError):
    """Arguments: the number of the request."""

    sentence = "request {0} is no longer stored"


class Cancelled(RequestError):
    """No arguments. Stored as the outcome of a request whose user cancelled it."""

    sentence = "the request was cancelled"


class NotRequester(RequestError):
    """No arguments."""

    sentence = "only the user who requested it may do that"


class TooLarge(RequestError):
    """Arguments: the size of the largest file and the size accepted here, both in megabytes."""

    sentence = "a file has {0} MB, and this channel accepts {1} MB"


class NoAttachment(RequestError):
    """Arguments: the accepted formats."""

    sentence = "this message has no file with a tune; {0}"


class LostFile(RequestError):
    """Arguments: the name of the file."""

    sentence = "{0} is no longer stored"


class DownloadFailed(RequestError):
    """Arguments: the name of the file."""

    sentence = "{0} could not be downloaded from Discord"


class NoTarget(RequestError):
    """Arguments: the options of a style and the options of a tune, of which one must be given."""

    sentence = "name a style with {0}, or one tune to imitate with {1}"


class ConflictingOptions(RequestError):
    """Arguments: the option of a style and the option of a tune, of which only one may be given."""

    sentence = "name either a style with {0}, or one tune with {1}"


class MissingOption(RequestError):
    """Arguments: the missing option."""

    sentence = "a new tune needs {0} too"


class OptionNeedsFile(RequestError):
    """Arguments: the option that requires an attached file."""

    sentence = "{0} applies only to an attached tune"


class OptionForNewTunes(RequestError):
    """Arguments: the option that an attached file excludes."""

    sentence = "{0} applies only to new tunes"
