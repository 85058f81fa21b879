"""``/rerhythm`` and the message menu "Re-rhythm this tune": a new rhythm for an attached tune."""

from __future__ import annotations

from typing import Any

from discord import Attachment, Interaction, Message
from discord.app_commands import Command, ContextMenu, Range

from bot.cogs.options import (
    FULL_PERCENT,
    Seed,
    ShortText,
    StyleOptions,
    Track,
    Tune,
    build_command,
)
from bot.errors import ConflictingOptions, NoAttachment, NoTarget
from bot.messages.replies import Replies
from bot.requests.downloads import precheck
from bot.requests.intake import RequestIntake
from bot.texts import Texts
from mst_core.errors import MstError
from mst_core.reading.formats import ACCEPTED_FORMATS
from mst_core.reading.parsed_score import Limits
from mst_core.requests import Side, Transfer, draw_seed

OPTIONS = ("file", "rhythm", "like", "strength", "seed", "meter", "keep_bars", "track", "tune")


def rerhythm_commands(
    intake: RequestIntake,
    styles: StyleOptions,
    replies: Replies,
    texts: Texts,
    limits: Limits,
) -> tuple[Command[Any, ..., Any], ContextMenu]:
    """Build ``/rerhythm`` with the available styles as choices, and its message menu.

    Args:
        intake: Receives the requests and the uploads of the menu.
        styles: The choices of styles, and the autocompletion of meters.
        replies: The list of styles that the menu shows.
        texts: The sentences of the replies and the descriptions of the commands.
        limits: The largest attachment that the menu accepts.

    Returns:
        The command and the menu.
    """

    async def rerhythm(
        interaction: Interaction[Any],
        file: Attachment,
        rhythm: str | None = None,
        like: Attachment | None = None,
        strength: Range[int, 0, FULL_PERCENT] = FULL_PERCENT,
        seed: Seed | None = None,
        meter: ShortText | None = None,
        keep_bars: Range[str, 1, 100] | None = None,
        track: Track | None = None,
        tune: Tune | None = None,
    ) -> None:
        if rhythm is None and like is None:
            raise NoTarget("rhythm", "like")
        if rhythm is not None and like is not None:
            raise ConflictingOptions("rhythm", "like")
        draft = Transfer(
            source="source",
            seed=draw_seed() if seed is None else seed,
            rhythm=Side.of(rhythm, "like" if like else None, strength / FULL_PERCENT),
            meter=meter,
            keep_bars=keep_bars,
            track=track,
            tune=tune,
        )
        await intake.submit_with_files(interaction, draft, {"source": file, "like": like})

    async def rerhythm_message(interaction: Interaction[Any], message: Message) -> None:
        # Stores and parses the tune of the message, then shows an ephemeral list of styles.
        locale = interaction.locale.value
        attachment = _first_score(message, limits)
        if not styles.cards:
            await interaction.response.send_message(
                texts.render("styles.none", locale), ephemeral=True
            )
            return
        async with intake.receive_upload(interaction, attachment) as upload:
            if upload:
                await interaction.edit_original_response(
                    content=replies.style_question(upload, locale),
                    view=replies.style_choice_view(upload.id, FULL_PERCENT, locale),
                )

    callback = styles.add_style_choices(rerhythm, "rhythm")
    command = build_command(
        "rerhythm",
        callback,
        texts,
        OPTIONS,
        {"rhythm": "given_rhythm"},
        meter=styles.complete_meter,
    )
    name = texts.render("commands.rerhythm_menu")
    return command, ContextMenu(name=name, callback=rerhythm_message)


def _first_score(message: Message, limits: Limits) -> Attachment:
    """Return the first attachment that passes the checks of name and size.

    Raises:
        NoAttachment: when the message has no attachment.
        UnreadableScore, TooLong: the error of the first attachment, when none passes.
    """
    errors: list[MstError] = []
    for attachment in message.attachments:
        try:
            precheck(attachment, limits)
        except MstError as error:
            errors.append(error)
        else:
            return attachment
    raise errors[0] if errors else NoAttachment(ACCEPTED_FORMATS)
