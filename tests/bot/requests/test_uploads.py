"""An upload is stored once, parsed once, and deleted when no user has it any more."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import random
import zipfile

import pytest

from bot.errors import LostFile
from bot.requests.uploads import Uploads
from mst_core.errors import ScoreError
from mst_core.reading.parsed_score import Limits, Selection
from mst_core.reading.sandbox import parse
from mst_core.reading.serialization import decode_score
from mst_core.requests import Compose, Side, Transfer
from tests.support.discord_env import DiscordEnv
from tests.support.fakes import make_new_request, transfer_request
from tests.support.queue_env import QueueEnv
from tests.support.uploads import TRUNCATED_MIDI, send_rerhythm, write_reel

REEL = write_reel()
SHA = hashlib.sha256(REEL).hexdigest()


def files(uploads: Uploads) -> list[str]:
    return sorted(path.name for path in uploads.folder.glob("*"))


class CountingParser:
    """The real parser, which counts its calls and how many run at once."""

    def __init__(self) -> None:
        self.calls = self.running = self.most_running = 0

    async def __call__(
        self, name: str, data: bytes, selection: Selection, *, limits: Limits
    ) -> bytes:
        self.calls += 1
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            return await parse(name, data, selection, limits=limits)
        finally:
            self.running -= 1


async def test_the_same_bytes_are_stored_once_whoever_uploads_them(queue: QueueEnv) -> None:
    first = await queue.uploads.keep(1, "reel.mid", REEL)
    second = await queue.uploads.keep(2, "C:\\tunes\\other name.mid", REEL)
    again = await queue.uploads.keep(1, "reel (1).mid", REEL)
    assert files(queue.uploads) == [f"{SHA}.bin"]
    assert (queue.uploads.folder / f"{SHA}.bin").read_bytes() == REEL
    assert first.sha256 == second.sha256 == SHA
    assert second.name == "other name.mid"
    assert (again.id, again.name) == (first.id, "reel (1).mid")
    assert await queue.uploads.of_user(1) == [again]
    assert await queue.uploads.find(second.id) == second


async def test_a_file_is_parsed_once_for_each_track(queue: QueueEnv) -> None:
    counting = CountingParser()
    uploads = Uploads(queue.uploads.folder, queue.store.database, parse=counting)
    await uploads.keep(1, "reel.mid", REEL)
    wanted = [
        uploads.encoded_score(SHA, "reel.mid", track)
        for track in map(Selection, (None, None, 1, 1, None))
    ]
    readings = await asyncio.gather(*wanted)
    assert counting.calls == 2
    assert len({readings[0], readings[1], readings[4]}) == len({readings[2], readings[3]}) == 1
    assert len(decode_score(readings[0]).melody.notes) == 63
    assert files(uploads) == [f"{SHA}.bin", f"{SHA}.reading", f"{SHA}.track-1.reading"]
    later = Uploads(queue.uploads.folder, queue.store.database, parse=counting)
    assert await later.encoded_score(SHA, "reel.mid") == readings[0]
    assert counting.calls == 2, "what was read stays read after a restart"


async def test_at_most_two_parsers_run_at_once(queue: QueueEnv) -> None:
    counting = CountingParser()
    uploads = Uploads(queue.uploads.folder, queue.store.database, parse=counting)
    kept = [await uploads.keep(1, "reel.mid", write_reel(bars)) for bars in (2, 3, 4, 5)]
    await asyncio.gather(*(uploads.encoded_score(upload.sha256, upload.name) for upload in kept))
    assert counting.most_running == 2


async def test_a_cached_score_of_another_version_is_parsed_again(queue: QueueEnv) -> None:
    await queue.uploads.keep(1, "reel.mid", REEL)
    (queue.uploads.folder / f"{SHA}.reading").write_bytes(b"what an old program wrote")
    reading = await queue.uploads.encoded_score(SHA, "reel.mid")
    assert len(decode_score(reading).melody.notes) == 63
    assert (queue.uploads.folder / f"{SHA}.reading").read_bytes() == reading


async def test_a_cached_score_that_the_disk_damaged_is_parsed_again(queue: QueueEnv) -> None:
    await queue.uploads.keep(1, "reel.mid", REEL)
    reading = await queue.uploads.encoded_score(SHA, "reel.mid")
    damaged = bytearray(reading)
    damaged[len(damaged) // 2] ^= 1
    (queue.uploads.folder / f"{SHA}.reading").write_bytes(damaged)
    assert await queue.uploads.encoded_score(SHA, "reel.mid") == reading


async def test_a_file_that_cannot_be_parsed_leaves_no_cached_score(queue: QueueEnv) -> None:
    upload = await queue.uploads.keep(1, "broken.mid", TRUNCATED_MIDI)
    with pytest.raises(ScoreError):
        await queue.uploads.encoded_score(upload.sha256, upload.name)
    assert files(queue.uploads) == [f"{upload.sha256}.bin"]


async def test_a_request_gets_the_parsed_scores_that_it_needs(queue: QueueEnv) -> None:
    other = write_reel(bars=4)
    like = (await queue.uploads.keep(1, "other.mid", other)).sha256
    await queue.uploads.keep(1, "reel.mid", REEL)
    names = {SHA: "reel.mid", like: "other.mid"}
    readings = await queue.uploads.encoded_scores(
        Transfer(source=SHA, seed=1, rhythm=Side(like=like), track=1), names
    )
    assert {sha: decode_score(score).melody.bar_count for sha, score in readings.items()} == {
        SHA: 8,
        like: 4,
    }
    assert (
        await queue.uploads.encoded_scores(Compose(pitch="folk", rhythm="folk", seed=1), {}) == {}
    )


async def test_a_file_is_deleted_with_its_last_row(queue: QueueEnv) -> None:
    for user in (1, 2):
        await queue.uploads.keep(user, "reel.mid", REEL)
    await queue.uploads.keep(1, "other.mid", write_reel(bars=4))
    await queue.uploads.encoded_score(SHA, "reel.mid")
    assert (await queue.uploads.delete_user(1))[0] == 2
    assert files(queue.uploads) == [f"{SHA}.bin", f"{SHA}.reading"]
    assert await queue.uploads.delete_user(2) == (1, [SHA])
    assert files(queue.uploads) == []
    with pytest.raises(LostFile, match=r"reel\.mid is no longer stored"):
        queue.uploads.check_stored([SHA], {SHA: "reel.mid"})
    with pytest.raises(LostFile, match=r"reel\.mid is no longer stored"):
        await queue.uploads.encoded_score(SHA, "reel.mid")


async def test_the_least_recently_used_file_is_deleted_first(queue: QueueEnv) -> None:
    times = iter(range(100))
    uploads = Uploads(
        queue.uploads.folder, queue.store.database, quota_bytes=2_500, clock=lambda: next(times)
    )
    for name in ("a.mid", "b.mid"):
        await uploads.keep(1, name, name.encode() * 200)
    await uploads.keep(2, "b.mid", b"b.mid" * 200)
    await uploads.keep(1, "a.mid", b"a.mid" * 200)
    await uploads.keep(1, "c.mid", b"c.mid" * 200)
    assert sorted(upload.name for upload in await uploads.of_user(1)) == ["a.mid", "c.mid"]
    assert len(files(uploads)) == 3, "the other person still has b"
    await uploads.keep(2, "d.mid", b"d.mid" * 400)
    assert [upload.name for upload in await uploads.of_user(2)] == ["d.mid"]
    assert len(files(uploads)) == 3


async def test_leftovers_of_a_crash_are_deleted(queue: QueueEnv) -> None:
    await queue.uploads.keep(1, "reel.mid", REEL)
    for leftover in (f"{'0' * 64}.bin", f".{SHA}.reading.draft"):
        (queue.uploads.folder / leftover).write_bytes(b"half a fi")
    await queue.uploads.delete_leftovers()
    assert files(queue.uploads) == [f"{SHA}.bin"]


async def test_a_lost_file_fails_its_request_with_a_clear_error(queue: QueueEnv) -> None:
    await queue.uploads.keep(1, "reel.mid", REEL)
    async with queue.scheduling() as scheduler:
        record = await queue.store.add(
            make_new_request(
                request=Transfer(source=SHA, seed=1, rhythm=Side(style="folk")),
                names={SHA: "reel.mid"},
            )
        )
        (queue.uploads.folder / f"{SHA}.bin").unlink()
        scheduler.wake()
        (answered,) = await queue.delivered(record)
    assert (answered.error_code, answered.error_arguments) == ("LostFile", ("reel.mid",))


async def test_a_request_is_parsed_and_made_by_the_next_process(queue: QueueEnv) -> None:
    await queue.uploads.keep(1, "reel.mid", REEL)
    request = Transfer(source=SHA, seed=1, rhythm=Side(style="folk", strength=0.5))
    record = await queue.store.add(make_new_request(request=request, names={SHA: "reel.mid"}))
    async with queue.scheduling():
        (answered,) = await queue.delivered(record)
    assert (answered.request, answered.names) == (request, {SHA: "reel.mid"})
    (job,) = queue.engine.jobs
    assert transfer_request(job) == request
    assert set(job.scores) == {SHA}
    assert answered.receipt is not None
    assert answered.receipt.rhythm_strength == 0.5
    assert "reading" in answered.stage_seconds


async def test_two_users_who_upload_the_same_file_share_it(server: DiscordEnv) -> None:
    await send_rerhythm(server, "reel.mid", REEL)
    await server.bob.slash(server.channel, "rerhythm", file=("mine.mid", REEL), rhythm="folk")
    folder = server.settings.data_dir / "uploads"
    assert sorted(path.name for path in folder.iterdir()) == [f"{SHA}.bin", f"{SHA}.reading"]
    await server.alice.slash(server.channel, "mydata delete")
    assert len(list(folder.iterdir())) == 2
    result = await server.bob.slash(server.channel, "mydata delete")
    assert result.response is not None
    assert "and 1 uploaded files" in result.response.content
    assert list(folder.iterdir()) == []


async def test_an_export_has_the_files_too(server: DiscordEnv) -> None:
    await send_rerhythm(server, "reel.mid", REEL)
    result = await server.alice.slash(server.channel, "mydata export")
    assert result.ephemeral
    assert result.response is not None
    listing, archive = result.response.attachments
    (upload,) = json.loads(await listing.read())["uploads"]
    assert (upload["sha256"], upload["name"], upload["size_bytes"]) == (SHA, "reel.mid", len(REEL))
    with zipfile.ZipFile(io.BytesIO(await archive.read())) as kept:
        assert [(name, kept.read(name)) for name in kept.namelist()] == [("1-reel.mid", REEL)]


async def test_an_export_has_the_newest_files_when_not_all_of_them_fit(server: DiscordEnv) -> None:
    scheduler = server.bot._scheduler
    assert scheduler is not None
    for number in range(3):  # a SimCord message holds 25 MiB
        await scheduler._uploads.keep(server.alice.id, f"{number}.mid", random.randbytes(9_000_000))
    result = await server.alice.slash(server.channel, "mydata export")
    assert result.response is not None
    assert "3 uploaded files (2 of them fit into the archive" in result.response.content
    _, archive = result.response.attachments
    with zipfile.ZipFile(io.BytesIO(await archive.read())) as kept:
        assert kept.namelist() == ["3-2.mid", "2-1.mid"]
