"""The JSON of a request in databases and exports, the same since version 0.1.0."""

from __future__ import annotations

import msgspec

from mst_core.requests import Compose, Mashup, Request, Side, Transfer


class _StoredTransfer(msgspec.Struct, frozen=True, tag="rerhythm"):
    """The flat form of a transfer on disk; a name without prefix belongs to the rhythm."""

    source: str
    seed: int
    rhythm: str | None = None
    like: str | None = None
    strength: float = 1.0
    meter: str | None = None
    keep_bars: str | None = None
    track: int | None = None
    pitch: str | None = None
    pitch_like: str | None = None
    pitch_strength: float = 1.0
    tune: int | None = None


def encode_request(request: Request) -> str:
    """Return a request as JSON in the form that databases and exports have had since 0.1.0."""
    if not isinstance(request, Transfer):
        return _without_tune(request)
    rhythm, pitch = request.rhythm or Side(), request.pitch or Side()
    stored = _StoredTransfer(
        source=request.source,
        seed=request.seed,
        rhythm=rhythm.style,
        like=rhythm.like,
        strength=rhythm.strength,
        meter=request.meter,
        keep_bars=request.keep_bars,
        track=request.track,
        pitch=pitch.style,
        pitch_like=pitch.like,
        pitch_strength=pitch.strength,
        tune=request.tune,
    )
    return _without_tune(stored)


def _without_tune(stored: msgspec.Struct) -> str:
    """The JSON of a struct; a ``tune`` that is not named is left out, as before books were read."""
    fields = msgspec.to_builtins(stored)
    if fields.get("tune") is None:
        fields.pop("tune", None)
    return msgspec.json.encode(fields).decode()


def decode_request(text: str) -> Request:
    """Return the request that `encode_request` wrote, in this version or in 0.1.0.

    Raises:
        msgspec.DecodeError: when the text is no request.
    """
    stored = msgspec.json.decode(text, type=Compose | _StoredTransfer | Mashup)
    if not isinstance(stored, _StoredTransfer):
        return stored
    return Transfer(
        source=stored.source,
        seed=stored.seed,
        rhythm=Side.of(stored.rhythm, stored.like, stored.strength),
        pitch=Side.of(stored.pitch, stored.pitch_like, stored.pitch_strength),
        meter=stored.meter,
        keep_bars=stored.keep_bars,
        track=stored.track,
        tune=stored.tune,
    )
