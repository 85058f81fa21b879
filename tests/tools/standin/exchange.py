"""What the user of one interaction is shown, and how Discord misbehaves meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Fault:
    """One way to misbehave at one call.

    A status of 0 cuts the connection instead of a reply; 200 replies as usual, after ``hold_s``.
    """

    status: int = 200
    code: int = 0
    """Discord's own number of the error."""
    hold_s: float = 0.0
    """Seconds before anything is done."""
    carried_out: bool = False
    """Whether the call takes effect all the same."""
    retry_after_s: float = 0.1
    """With status 429: seconds that the caller is told to wait."""


@dataclass
class Exchange:
    """One interaction, and what its user was shown."""

    number: int
    command: str
    token: str
    sent_at: float
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    """By route what happens at the next calls, one each; then Discord behaves."""
    acknowledged: bool = False
    message: str = ""
    """Text of the public message."""
    files: int = 0
    """Files of the public message."""
    deleted: bool = False
    private: list[str] = field(default_factory=list)
    """Texts that only the user saw: refusals."""
    late: list[tuple[str, int]] = field(default_factory=list)
    """Text and number of files of messages in the channel or sent directly."""
    nonces: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    """Every call, in order, with its fault."""
    ended_at: float = 0.0
    """When the user had the first outcome."""
    person: int = 0
    """Who entered it, for those who enter more than one; 0 is somebody new."""
    below: Exchange | None = None
    """Whose message had the button that was pressed; None for a command."""
    components: list[Any] = field(default_factory=list)
    """Rows of buttons below the public message, as the bot sent them."""
    deferred: bool = False
    """Whether the user alone sees "thinking"."""
    private_files: list[bytes] = field(default_factory=list)
    """Files that only the user saw."""

    @property
    def id(self) -> int:
        """The snowflake of the interaction; other snowflakes follow from it."""
        return 10_000_000 + self.number

    @property
    def user_id(self) -> int:
        """Every exchange has a user of its own, unless it says who entered it."""
        return 70_000_000 + self.person if self.person else 20_000_000 + self.number

    @property
    def channel_id(self) -> int:
        """Every command has a channel of its own."""
        return self.below.channel_id if self.below else 30_000_000 + self.number

    @property
    def guild_id(self) -> int:
        """The server, of eight users who say who they are; its own otherwise."""
        if self.below:
            return self.below.guild_id
        return 80_000_000 + self.person // 8 if self.person else 60_000_000 + self.number

    @property
    def direct_channel_id(self) -> int:
        """The channel of direct messages to the user."""
        return 40_000_000 + self.number

    @property
    def message_id(self) -> int:
        """The public message, once acknowledged."""
        return 50_000_000 + self.number

    @property
    def results(self) -> int:
        """Messages with a result that the user has."""
        public = int(self.files > 0 and not self.deleted) + sum(n > 0 for _, n in self.late)
        return public + bool(self.private_files)

    @property
    def custom_ids(self) -> list[str]:
        """The custom ids of the buttons below the public message."""
        return [
            item["custom_id"]
            for row in self.components
            for item in row["components"]
            if "custom_id" in item
        ]

    @property
    def refusals(self) -> int:
        """How often the user learnt of a failure."""
        return len(self.private) + sum(n == 0 for _, n in self.late)
