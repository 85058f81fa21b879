"""The Discord client: builds the parts of the bot, connects them, and closes them again.

No other module connects the parts. Every error of a user's action is reported here.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Any

import discord
from discord import app_commands
from discord.app_commands import Command, ContextMenu, Group

from bot.cogs.compose import compose_command
from bot.cogs.library import library_commands
from bot.cogs.mashup import mashup_command
from bot.cogs.mydata import mydata_commands
from bot.cogs.options import StyleOptions
from bot.cogs.rerhythm import rerhythm_commands
from bot.cogs.transfer import transfer_command
from bot.errors import RepeatedInteraction, Restarting, StartupError
from bot.messages.buttons import PressItem
from bot.messages.delivery import DELETED_PLACEHOLDER, Delivery
from bot.messages.replies import Replies
from bot.monitoring.health import HealthState, read_backlog, start_health_server
from bot.requests.acknowledgement import Acknowledgements
from bot.requests.data_folder import LEDGER, check_ledger, sign_folder, sign_regularly
from bot.requests.database import lock_data_dir
from bot.requests.intake import RequestIntake
from bot.requests.presses import Presses
from bot.requests.result_files import ResultFiles
from bot.requests.retention import Retention
from bot.requests.scheduler import Scheduler
from bot.requests.store import RequestStore
from bot.requests.uploads import Uploads
from bot.settings import Settings
from bot.texts import Texts
from mst_core.engine import Engine
from mst_core.errors import EngineFault, MstError
from mst_core.reading.parsed_score import Limits
from mst_core.styles import load_style_cards

if TYPE_CHECKING:
    from aiohttp import web

    from bot.monitoring.metrics import Metrics

log = logging.getLogger(__name__)

GONE_CODES = (10008, 10015, 10062, 50027)
"""Discord's codes for an unknown message, webhook or interaction: no user is left to inform."""


class BotCommandTree(app_commands.CommandTree["MusicBot"]):
    """The slash commands, and the only place where errors of a user's action are reported."""

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """Return whether a command may run: none may while the bot closes, and its user learns so.

        The completion of options needs nothing that closes.
        """
        if interaction.type is discord.InteractionType.autocomplete or not self.client.closing:
            return True
        await self.on_error(interaction, Restarting())
        return False

    async def on_error(self, interaction: discord.Interaction[Any], error: Exception, /) -> None:
        """Send the user, ephemerally, the text of an MstError, else a reference to the log.

        Args:
            interaction: The command or press that failed, acknowledged or not.
            error: What it raised; the cause is taken out of a CommandInvokeError.

        Raises:
            discord.HTTPException: when Discord rejects the reply, unless no user is left to inform.
        """
        if isinstance(error, app_commands.CommandInvokeError):
            error = error.original
        if isinstance(error, RepeatedInteraction):
            return  # the first one is answered
        if not isinstance(error, MstError):
            reference = secrets.token_hex(4)
            log.error("an action failed, reference %s", reference, exc_info=error)
            error = EngineFault(reference)
        if self.client.metrics:
            self.client.metrics.action_rejected(error.code)
        text = self.client.texts.render_error(error, interaction.locale.value)
        try:
            if not interaction.response.is_done():
                await interaction.response.send_message(text, ephemeral=True)
                return
            original = await interaction.original_response()
            if original.flags.ephemeral:
                await interaction.edit_original_response(content=text)
                return
            # While a message is still loading, a follow-up would become it, and be public.
            await interaction.edit_original_response(content=DELETED_PLACEHOLDER)
            await interaction.delete_original_response()
            await interaction.followup.send(text, ephemeral=True)
        except discord.HTTPException as problem:
            if problem.code not in GONE_CODES:
                raise
            # Not its text, which may have the name of a file: a log outlives ``/mydata delete``.
            log.warning("an error could not be shown to its user: %s", type(error).__name__)


class MusicBot(discord.Client):
    """The bot as a Discord client. It owns its parts from `setup_hook` to `close`."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        # It joins no voice channel, so missing voice libraries are no reason for a warning.
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
        super().__init__(
            intents=discord.Intents(guilds=True),  # no privileged intent: it reads no messages
            allowed_mentions=discord.AllowedMentions.none(),
        )
        self.metrics: Metrics | None = None
        if settings.health_port:
            from bot.monitoring.metrics import Metrics

            self.metrics = Metrics()
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
        """Why the bot closed itself, if it did."""
        self.closing = False
        """Whether it accepts nothing more, because it is about to end."""
        self._engine = engine
        self._retention: Retention | None = None
        self._data_lock: IO[bytes] | None = None
        self._store: RequestStore | None = None
        self._scheduler: Scheduler | None = None
        self._presses: Presses | None = None
        self._draining: asyncio.Task[None] | None = None
        self._acknowledgements: Acknowledgements | None = None
        self._signing: asyncio.Task[None] | None = None
        self._connected = False
        self._health: web.AppRunner | None = None

    async def setup_hook(self) -> None:
        """Open the parts, register the commands, and resume unfinished requests.

        The engine starts in the background.

        Raises:
            bot.errors.StartupError: when the data folder or the database in it cannot
                be used, or another bot uses it.
        """
        settings, styles, texts, clock = self.settings, self.styles, self.texts, _utcnow
        self._data_lock = lock_data_dir(settings.data_dir)
        await asyncio.to_thread(check_ledger, settings.data_dir)
        store = self._store = await RequestStore.open(settings.data_dir / LEDGER, clock)
        await sign_folder(settings.data_dir, store.database)
        self._signing = asyncio.create_task(sign_regularly(settings.data_dir, store.database))
        if unreadable := await store.fail_unreadable():
            log.error("these requests cannot be read, and fail: %s", unreadable)
        limits = Limits(file_bytes=settings.upload_bytes)
        uploads = Uploads(
            settings.data_dir / "uploads",
            store.database,
            limits=limits,
            quota_bytes=settings.upload_quota_mb * 1_000_000,
            clock=clock,
        )
        await uploads.delete_leftovers()
        retention = self._retention = Retention(
            settings.data_dir,
            store,
            uploads,
            quota_bytes=settings.data_quota_mb * 1_000_000,
            free_bytes=settings.disk_free_mb * 1_000_000,
            upload_days=settings.upload_days,
            history_days=settings.history_days,
            clock=clock,
        )
        delivery = Delivery(self, self.replies, texts, clock)
        scheduler = self._scheduler = Scheduler(
            store,
            ResultFiles(settings.data_dir / "results"),
            uploads,
            self._engine,
            delivery,
            tries=settings.max_tries,
            # The engine counts its own timeout from the start of a job; this one detects an engine
            # that has stopped reporting.
            job_timeout_s=3 * settings.job_timeout_s,
            clock=clock,
            metrics=self.metrics,
        )
        pending = self._acknowledgements = Acknowledgements(
            store, delivery.find_message, scheduler.wake
        )
        if self.metrics:
            port = settings.health_port
            self._health = await start_health_server(port, self.metrics, self.read_health)
        intake = RequestIntake(
            store, uploads, scheduler, styles, settings, pending, clock, retention.admit
        )
        self._presses = Presses(intake, store, uploads, scheduler, self.replies.style_choice_view)
        options = StyleOptions(styles)
        commands: list[Command[Any, ..., Any] | ContextMenu | Group] = [
            compose_command(intake, options, texts),
            transfer_command(intake, options, texts),
            *rerhythm_commands(intake, options, self.replies, texts, limits),
            mashup_command(intake, texts),
            *library_commands(store, styles, self.replies.captions, texts),
            mydata_commands(store, uploads, scheduler, texts),
        ]
        for command in commands:
            self.tree.add_command(command)
        self.add_dynamic_items(PressItem)
        await self.tree.sync()
        await pending.start()
        retention.start()
        await scheduler.start(self._shut_down)

    async def drain(self) -> None:
        """Let running jobs finish for a while, return the others to the queue, end the engine.

        Meanwhile the bot stays connected, and rejects commands and presses with a sentence.
        """
        self.closing = True
        scheduler, self._scheduler = self._scheduler, None
        if scheduler:
            self._draining = asyncio.create_task(scheduler.close(self.settings.drain_s))
        if self._draining and not self._draining.done():
            await self._draining

    async def close(self) -> None:
        """Drain the bot, unless that is done, and close all parts."""
        store, self._store = self._store, None
        try:
            if self._acknowledgements:
                await self._acknowledgements.close()
            if self._retention:
                await self._retention.close()
            await self.drain()
        finally:
            if store:
                await self._close_store(store)
            if self._health:
                await self._health.cleanup()
            if self._data_lock:
                self._data_lock.close()
            await super().close()

    async def on_ready(self) -> None:
        """Note that the bot is connected to Discord, for `read_health`."""
        self._connected = True

    async def on_resumed(self) -> None:
        """Note that the bot is connected to Discord again."""
        self._connected = True

    async def on_disconnect(self) -> None:
        """Note that the bot is not connected to Discord."""
        self._connected = False

    async def read_health(self) -> HealthState:
        """Return the state of the bot's parts."""
        scheduler, store, retention = self._scheduler, self._store, self._retention
        state = await read_backlog(
            store.count_backlog if store else None,
            gateway=self._connected and not self.is_closed(),
            engine=scheduler is not None and scheduler.engine_ready,
            closing=self.closing,
        )
        if scheduler is not None:
            state = replace(state, engine_problem=scheduler.engine_problem)
        if retention is None:
            return state
        return replace(
            state,
            no_room=retention.problem,
            data_bytes=retention.used_bytes,
            free_bytes=retention.sizes["free"],
        )

    async def _close_store(self, store: RequestStore) -> None:
        if self._signing:
            self._signing.cancel()
            await asyncio.wait([self._signing])
        try:
            await sign_folder(self.settings.data_dir, store.database)
        except StartupError as error:  # the next start signs it
            log.warning("%s", error)
        await store.close()

    async def press(
        self,
        interaction: discord.Interaction[Any],
        move: str,
        id: int,
        argument: int | None,
        token: str,
    ) -> None:
        """Carry out the press of a button or list; see `Presses.press`.

        Args:
            interaction: The press, not yet acknowledged.
            move: The move of the button or list.
            id: The id of a request or upload.
            argument: What the move needs, such as a percentage; None when it needs nothing.
            token: The token of the request, as the button has it; may be empty.
        """
        try:
            if self.closing:
                raise Restarting
            if self._presses is None:
                raise RuntimeError("a press before setup_hook")
            await self._presses.press(interaction, move, id, argument, token)
        except Exception as error:
            await self.tree.on_error(interaction, error)

    def _shut_down(self, error: MstError) -> None:
        """Close because the engine cannot start."""
        self.failure = error
        self.loop.create_task(self.close())


def _utcnow() -> float:
    # discord.py's clock, because a test harness may set it.
    return discord.utils.utcnow().timestamp()


def build_engine(settings: Settings) -> Engine:
    """Build the engine that ``MST_ENGINE`` names, not yet started. There is one: ``local``."""
    from mst_core.engine.local import LocalEngine

    return LocalEngine(
        settings.models_dir,
        settings.soundfont,
        settings.device,
        slots=settings.engine_slots,
        job_timeout_s=settings.job_timeout_s,
    )
