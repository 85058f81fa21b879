"""The bot as a whole: opens the ledger, the engine and the commands, and closes them again.

All parts meet here and nowhere else. Here is also the one door of errors.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from typing import IO, Any

import discord
from discord import app_commands

from bot.cogs.compose import ComposeCog
from bot.cogs.library import LibraryCog
from bot.cogs.mashup import MashupCog
from bot.cogs.mydata import MyDataCog
from bot.cogs.options import StyleOptions
from bot.cogs.rerhythm import RerhythmCog
from bot.cogs.transfer import TransferCog
from bot.messages.buttons import (
    DYNAMIC,
    Again,
    Chosen,
    Compared,
    Press,
    Removed,
    Set,
    Swapped,
    Turned,
    Variant,
)
from bot.messages.delivery import DELETED_PLACEHOLDER, Delivery
from bot.messages.replies import Replies
from bot.requests.database import lock_data_dir
from bot.requests.intake import RequestIntake
from bot.requests.result_files import ResultFiles
from bot.requests.scheduler import Scheduler
from bot.requests.store import RequestStore
from bot.requests.uploads import Uploads
from bot.settings import Settings
from bot.texts import Texts
from mst_core.engine import Engine
from mst_core.errors import EngineFault, MstError
from mst_core.reading.parsed_score import Limits
from mst_core.styles import load_style_cards

log = logging.getLogger(__name__)

GONE_CODES = (10008, 10015, 10062, 50027)
"""Message, webhook or interaction that Discord no longer knows: nobody is left to be told."""


class BotCommandTree(app_commands.CommandTree["MusicBot"]):
    """The commands, and the one door through which every error of a person's action goes."""

    async def on_error(self, interaction: discord.Interaction[Any], error: Exception, /) -> None:
        """Tell the asker alone: the text of an MstError, else a reference to our log."""
        if isinstance(error, app_commands.CommandInvokeError):
            error = error.original
        if not isinstance(error, MstError):
            reference = secrets.token_hex(4)
            log.error("an action failed, reference %s", reference, exc_info=error)
            error = EngineFault(reference)
        words = self.client.texts.render_error(error, interaction.locale.value)
        try:
            if not interaction.response.is_done():
                await interaction.response.send_message(words, ephemeral=True)
                return
            original = await interaction.original_response()
            if original.flags.ephemeral:
                await interaction.edit_original_response(content=words)
                return
            # While a message is still loading, a follow-up would become it, and be public.
            await interaction.edit_original_response(content=DELETED_PLACEHOLDER)
            await interaction.delete_original_response()
            await interaction.followup.send(words, ephemeral=True)
        except discord.HTTPException as problem:
            if problem.code not in GONE_CODES:
                raise
            log.warning("an error could not be told: %s", words)


class MusicBot(discord.Client):
    """The Discord client. It owns its parts from `setup_hook` to `close`."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        # It joins no voice channel, so it does not miss what that takes.
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
        super().__init__(
            intents=discord.Intents(guilds=True),  # nothing privileged: it reads no messages
            allowed_mentions=discord.AllowedMentions.none(),
        )
        self.tree = BotCommandTree(
            self,
            allowed_contexts=app_commands.AppCommandContext(
                guild=True, dm_channel=True, private_channel=True
            ),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
        )
        self.settings = settings
        self.texts = Texts.open()
        self.styles = load_style_cards(settings.models_dir)
        self.replies = Replies(self.texts, self.styles)
        self.failure: MstError | None = None
        """Why the bot closed by itself, if it did."""
        self._engine = engine
        self._data_lock: IO[bytes] | None = None
        self._store: RequestStore | None = None
        self._scheduler: Scheduler | None = None
        self._intake: RequestIntake | None = None

    async def setup_hook(self) -> None:
        """Open the parts, offer the commands, take up what was left. The engine wakes meanwhile.

        Raises:
            bot.requests.database.BrokenLedger: it cannot be opened, or another bot works with it.
        """
        settings, styles, texts, clock = self.settings, self.styles, self.texts, _utcnow
        self._data_lock = lock_data_dir(settings.data_dir)
        ledger = self._store = await RequestStore.open(settings.data_dir / "ledger.sqlite3", clock)
        limits = Limits(file_bytes=settings.upload_bytes)
        uploads = Uploads(
            settings.data_dir / "uploads",
            ledger.database,
            limits=limits,
            quota_bytes=settings.upload_quota_mb * 1_000_000,
            clock=clock,
        )
        await uploads.delete_leftovers()
        dispatcher = self._scheduler = Scheduler(
            ledger,
            ResultFiles(settings.data_dir / "results"),
            uploads,
            self._engine,
            Delivery(self, self.replies, texts, clock),
            tries=settings.max_tries,
            # The engine's own limit counts from when it begins; this one catches a silent engine.
            job_timeout_s=3 * settings.job_timeout_s,
            clock=clock,
        )
        desk = self._intake = RequestIntake(ledger, uploads, dispatcher, styles, settings, clock)
        offers = StyleOptions(styles)
        cogs = (
            ComposeCog(desk, offers, texts),
            TransferCog(desk, offers, texts),
            RerhythmCog(desk, styles, offers, self.replies, texts, limits),
            MashupCog(desk, texts),
            LibraryCog(ledger, styles, self.replies.captions, texts),
            MyDataCog(ledger, uploads, dispatcher, texts),
        )
        for cog in cogs:
            for command in cog.commands():
                self.tree.add_command(command)
        self.add_dynamic_items(*DYNAMIC)
        await self.tree.sync()
        await dispatcher.start(self._shut_down)

    async def close(self) -> None:
        """Let running jobs end for a while, give the rest back to the ledger, close everything."""
        dispatcher, self._scheduler = self._scheduler, None
        ledger, self._store = self._store, None
        try:
            if dispatcher:
                await dispatcher.close(self.settings.drain_s)
        finally:
            if ledger:
                await ledger.close()
            if self._data_lock:
                self._data_lock.close()
            await super().close()

    async def pressed(self, interaction: discord.Interaction[Any], press: Press) -> None:
        """Bring a press to the desk; what goes wrong goes through the same door."""
        try:
            if self._intake is None:
                raise RuntimeError("a button before the desk was open")
            await self._serve(self._intake, interaction, press)
        except Exception as error:
            await self.tree.on_error(interaction, error)

    async def _serve(
        self, intake: RequestIntake, interaction: discord.Interaction[Any], press: Press
    ) -> None:
        match press:
            case Again(request_id):
                await intake.request_again(interaction, request_id)
            case Turned(request_id, percent):
                await intake.request_strength(interaction, request_id, percent / 100)
            case Variant(request_id, number):
                await intake.request_variant(interaction, request_id, number)
            case Swapped(request_id):
                await intake.request_swapped(interaction, request_id)
            case Compared(request_id):
                entry, picture = await intake.draw_comparison(interaction, request_id)
                locale = interaction.locale.value
                words, file = self.replies.comparison(entry, picture, locale)
                await interaction.edit_original_response(content=words, attachments=[file])
            case Removed(request_id):
                await intake.remove_result(interaction, request_id)
            case Chosen(upload_id, percent, style):
                await intake.request_style(interaction, upload_id, style, percent / 100)
            case Set(upload_id, percent):
                locale = interaction.locale.value
                view = self.replies.style_choice_view(upload_id, percent, locale)
                await interaction.response.edit_message(view=view)

    def _shut_down(self, error: MstError) -> None:
        """Close because the engine cannot start."""
        self.failure = error
        self.loop.create_task(self.close())


def _utcnow() -> float:
    # discord.py's clock and not our own: a harness may turn it.
    return discord.utils.utcnow().timestamp()


def build_engine(settings: Settings) -> Engine:
    """Build the engine that the settings name; nothing is started."""
    builders: dict[str, Callable[[Settings], Engine]] = {"local": _local_engine}
    return builders[settings.engine](settings)


def _local_engine(settings: Settings) -> Engine:
    from mst_core.engine.local import LocalEngine

    return LocalEngine(
        settings.models_dir,
        settings.soundfont,
        settings.device,
        slots=settings.engine_slots,
        job_timeout_s=settings.job_timeout_s,
    )
