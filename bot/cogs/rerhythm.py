"""``/rerhythm`` and the message menu "Re-rhythm this tune": a new rhythm for an attached tune."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from discord import Attachment, Interaction, Message, app_commands
from discord.app_commands import Command, ContextMenu

from bot.cogs.options import FULL_PERCENT, BarList, Percent, Seed, ShortText, StyleOptions, Track
from bot.errors import ConflictingOptions, NoAttachment, NoRhythmTarget
from bot.messages.replies import Replies
from bot.requests.intake import RequestIntake, precheck
from bot.texts import Texts
from mst_core.errors import MstError
from mst_core.jobs import Side, Transfer, draw_seed
from mst_core.reading.formats import ACCEPTED_FORMATS
from mst_core.reading.parsed_score import Limits
from mst_core.styles import StyleCard

OPTIONS = ("file", "rhythm", "like", "strength", "seed", "meter", "keep_bars", "track")


class RerhythmCog:
    """Registers ``/rerhythm`` and its message menu."""

    def __init__(
        self,
        intake: RequestIntake,
        styles: Mapping[str, StyleCard],
        options: StyleOptions,
        replies: Replies,
        texts: Texts,
        limits: Limits,
    ) -> None:
        self._intake, self._styles, self._options = intake, styles, options
        self._replies, self._texts, self._limits = replies, texts, limits

    def commands(self) -> list[Command[Any, ..., Any] | ContextMenu]:
        """Build the command and the menu."""
        return [
            self._rerhythm(),
            ContextMenu(
                name=self._texts.render("commands.rerhythm_menu"), callback=self._rerhythm_message
            ),
        ]

    def _rerhythm(self) -> Command[Any, ..., None]:
        async def rerhythm(
            interaction: Interaction[Any],
            file: Attachment,
            rhythm: str | None = None,
            like: Attachment | None = None,
            strength: Percent = FULL_PERCENT,
            seed: Seed | None = None,
            meter: ShortText | None = None,
            keep_bars: BarList | None = None,
            track: Track | None = None,
        ) -> None:
            if rhythm is None and like is None:
                raise NoRhythmTarget
            if rhythm is not None and like is not None:
                raise ConflictingOptions("rhythm", "like")
            draft = Transfer(
                source="source",
                seed=draw_seed() if seed is None else seed,
                rhythm=Side.of(rhythm, "like" if like else None, strength / FULL_PERCENT),
                meter=meter,
                keep_bars=keep_bars,
                track=track,
            )
            await self._intake.submit_with_files(interaction, draft, {"source": file, "like": like})

        described = app_commands.describe(
            **{option: self._texts.render(f"options.{option}") for option in OPTIONS}
            | {"rhythm": self._texts.render("options.given_rhythm")}
        )(rerhythm)
        described = self._options.add_style_choices(described, "rhythm")
        described = app_commands.autocomplete(meter=self._options.complete_meter)(described)
        return Command(
            name="rerhythm", description=self._texts.render("commands.rerhythm"), callback=described
        )

    async def _rerhythm_message(self, interaction: Interaction[Any], message: Message) -> None:
        """Store and parse the tune of a message, then show an ephemeral list of styles."""
        locale = interaction.locale.value
        attachment = self._first_score(message)
        if not self._styles:
            await interaction.response.send_message(
                self._texts.render("styles.none", locale), ephemeral=True
            )
            return
        await interaction.response.defer(ephemeral=True, thinking=True)
        upload = await self._intake.receive_upload(interaction, attachment)
        await interaction.edit_original_response(
            content=self._replies.style_question(upload, locale),
            view=self._replies.style_choice_view(upload.id, FULL_PERCENT, locale),
        )

    def _first_score(self, message: Message) -> Attachment:
        """Return the first attachment that passes the checks of name and size.

        Raises:
            NoAttachment: when the message has no attachment.
            UnreadableScore, TooLong: the error of the first attachment, when none passes.
        """
        errors: list[MstError] = []
        for attachment in message.attachments:
            try:
                precheck(attachment, self._limits)
            except MstError as error:
                errors.append(error)
            else:
                return attachment
        raise errors[0] if errors else NoAttachment(ACCEPTED_FORMATS)
