"""``/rerhythm`` and "Re-rhythm this tune": a tune that somebody sent, in another rhythm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from discord import Attachment, Interaction, Message, app_commands
from discord.app_commands import Command, ContextMenu

from bot.cogs.options import FULL, BarList, Offers, Percent, Seed, Track, Word
from bot.errors import NoFile, NoRhythmNamed, TwoNamed
from bot.messages.replies import Replies
from bot.requests.intake import COMING, Desk, check_unseen
from bot.texts import Texts
from mst_core.errors import MstError
from mst_core.jobs import Restyle, draw_seed
from mst_core.reading.formats import ACCEPTED
from mst_core.reading.parsed_score import Limits
from mst_core.styles import StyleCard

OPTIONS = ("file", "rhythm", "like", "strength", "seed", "meter", "keep_bars", "track")


class RerhythmCog:
    """The command and the menu of a message that change a given tune."""

    def __init__(
        self,
        desk: Desk,
        styles: Mapping[str, StyleCard],
        offers: Offers,
        replies: Replies,
        texts: Texts,
        limits: Limits,
    ) -> None:
        self._desk, self._styles, self._offers = desk, styles, offers
        self._replies, self._texts, self._limits = replies, texts, limits

    def commands(self) -> list[Command[Any, ..., Any] | ContextMenu]:
        """Build both."""
        return [
            self._rerhythm(),
            ContextMenu(name=self._texts.say("commands.rerhythm_menu"), callback=self._offer),
        ]

    def _rerhythm(self) -> Command[Any, ..., None]:
        async def rerhythm(
            interaction: Interaction[Any],
            file: Attachment,
            rhythm: str | None = None,
            like: Attachment | None = None,
            strength: Percent = FULL,
            seed: Seed | None = None,
            meter: Word | None = None,
            keep_bars: BarList | None = None,
            track: Track | None = None,
        ) -> None:
            if rhythm is None and like is None:
                raise NoRhythmNamed
            if rhythm is not None and like is not None:
                raise TwoNamed("rhythm", "like")
            draft = Restyle(
                COMING,
                draw_seed() if seed is None else seed,
                rhythm,
                None if like is None else COMING,
                strength / FULL,
                meter,
                keep_bars,
                track,
            )
            await self._desk.ask_with_files(interaction, draft, {"source": file, "like": like})

        described = app_commands.describe(
            **{option: self._texts.say(f"options.{option}") for option in OPTIONS}
            | {"rhythm": self._texts.say("options.given_rhythm")}
        )(rerhythm)
        described = self._offers.offer_styles(described, "rhythm")
        described = app_commands.autocomplete(meter=self._offers.meters)(described)
        return Command(
            name="rerhythm", description=self._texts.say("commands.rerhythm"), callback=described
        )

    async def _offer(self, interaction: Interaction[Any], message: Message) -> None:
        """Take the tune of a message in, and let its asker choose a style, all in private."""
        locale = interaction.locale.value
        attachment = self._readable(message)
        if not self._styles:
            await interaction.response.send_message(
                self._texts.say("styles.none", locale), ephemeral=True
            )
            return
        await interaction.response.defer(ephemeral=True, thinking=True)
        upload = await self._desk.take_in(interaction, attachment)
        await interaction.edit_original_response(
            content=self._replies.choice(upload, locale),
            view=self._replies.choice_view(upload.id, FULL, locale),
        )

    def _readable(self, message: Message) -> Attachment:
        """Find the first file of a message that may be a tune.

        Raises:
            NoFile: when the message has no file at all.
            UnreadableScore, TooLong: what is wrong with the first, when none will do.
        """
        faults: list[MstError] = []
        for attachment in message.attachments:
            try:
                check_unseen(attachment, self._limits)
            except MstError as error:
                faults.append(error)
            else:
                return attachment
        raise faults[0] if faults else NoFile(ACCEPTED)
