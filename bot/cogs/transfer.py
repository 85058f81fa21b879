"""``/transfer``: changes the pitches, the rhythm or both of an attached tune, or composes one."""

from __future__ import annotations

from typing import Any

from discord import Attachment, Interaction
from discord.app_commands import Command, Range

from bot.cogs.options import (
    DEFAULT_BARS,
    FULL_PERCENT,
    Bars,
    Seed,
    ShortText,
    StyleOptions,
    Tempo,
    Track,
    Tune,
    build_command,
)
from bot.errors import (
    ConflictingOptions,
    MissingOption,
    NoTarget,
    OptionForNewTunes,
    OptionNeedsFile,
)
from bot.requests.intake import RequestIntake
from bot.texts import Texts
from mst_core.requests import Compose, Side, Transfer, draw_seed

OPTIONS = (
    "pitch",
    "rhythm",
    "file",
    "strength",
    "pitch_strength",
    "like",
    "pitch_like",
    "bars",
    "meter",
    "key",
    "tempo",
    "seed",
    "keep_bars",
    "track",
    "tune",
)


def transfer_command(
    intake: RequestIntake, styles: StyleOptions, texts: Texts
) -> Command[Any, ..., Any]:
    """Build ``/transfer`` with the available styles as choices.

    Args:
        intake: Receives the request and its files.
        styles: The choices of styles, and the autocompletion of meters and keys.
        texts: The descriptions of the command and its options.
    """

    async def transfer(
        interaction: Interaction[Any],
        pitch: str | None = None,
        rhythm: str | None = None,
        file: Attachment | None = None,
        strength: Range[int, 0, FULL_PERCENT] | None = None,
        pitch_strength: Range[int, 0, FULL_PERCENT] | None = None,
        like: Attachment | None = None,
        pitch_like: Attachment | None = None,
        bars: Bars | None = None,
        meter: ShortText | None = None,
        key: ShortText | None = None,
        tempo: Tempo | None = None,
        seed: Seed | None = None,
        keep_bars: Range[str, 1, 100] | None = None,
        track: Track | None = None,
        tune: Tune | None = None,
    ) -> None:
        seed = draw_seed() if seed is None else seed
        if file is None:
            _reject_options(
                OptionNeedsFile,
                strength=strength,
                pitch_strength=pitch_strength,
                like=like,
                pitch_like=pitch_like,
                keep_bars=keep_bars,
                track=track,
                tune=tune,
            )
            if pitch is None or rhythm is None:
                raise MissingOption("pitch" if pitch is None else "rhythm")
            request = Compose(
                pitch=pitch,
                rhythm=rhythm,
                seed=seed,
                bars=bars or DEFAULT_BARS,
                meter=meter,
                key=key,
                tempo=tempo,
            )
            await intake.submit(interaction, request)
            return
        _reject_options(OptionForNewTunes, bars=bars, key=key, tempo=tempo)
        _check_targets(pitch=pitch, pitch_like=pitch_like, rhythm=rhythm, like=like)
        percent = FULL_PERCENT if strength is None else strength
        pitch_percent = percent if pitch_strength is None else pitch_strength
        draft = Transfer(
            source="source",
            seed=seed,
            rhythm=Side.of(rhythm, "like" if like else None, percent / FULL_PERCENT),
            meter=meter,
            keep_bars=keep_bars,
            track=track,
            tune=tune,
            pitch=Side.of(
                pitch, "pitch_like" if pitch_like else None, pitch_percent / FULL_PERCENT
            ),
        )
        files = {"source": file, "like": like, "pitch_like": pitch_like}
        await intake.submit_with_files(interaction, draft, files)

    callback = styles.add_style_choices(transfer, "pitch", "rhythm")
    return build_command(
        "transfer",
        callback,
        texts,
        OPTIONS,
        {"strength": "given_strength"},
        meter=styles.complete_meter,
        key=styles.complete_key,
    )


def _reject_options(
    error_type: type[OptionNeedsFile | OptionForNewTunes], **options: object
) -> None:
    """Raise ``error_type`` for the first option that is given."""
    for option, value in options.items():
        if value is not None:
            raise error_type(option)


def _check_targets(
    *, pitch: str | None, pitch_like: object, rhythm: str | None, like: object
) -> None:
    """Raise ConflictingOptions for two targets of one side, NoTarget when there is none."""
    if pitch is not None and pitch_like is not None:
        raise ConflictingOptions("pitch", "pitch_like")
    if rhythm is not None and like is not None:
        raise ConflictingOptions("rhythm", "like")
    if pitch is None and pitch_like is None and rhythm is None and like is None:
        raise NoTarget("pitch` or `rhythm", "pitch_like` or `like")
