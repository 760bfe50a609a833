"""Writing a shard with its index and reading it again, from a disk and from elsewhere."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.forgery import flip
from vita_data import files
from vita_data.errors import ShardError
from vita_data.records.canon import canonical_bytes
from vita_data.shards.read import OPEN_SHARDS, Shard, Stage
from vita_data.shards.seal import sealed_facts, sealed_plan
from vita_data.shards.write import ShardSample, finished_shard, write_shard


def sample(number: int, *media: tuple[str, bytes], **facts: Any) -> ShardSample:
    key = f"test-{number:016x}"
    return ShardSample(key, canonical_bytes({"id": key, "n": number}), list(media), **facts)


SAMPLES = [
    sample(
        0, ("jpg", b"J" * 900), ("png", b"P" * 3), questions=2, length=40, grids=((2, 1), (1, 1)), source="a"
    ),
    sample(1, text_tokens=9, length=9, seconds=1.5, language="zh", licence="CC0-1.0"),
    sample(2, ("png", b""), visual_tokens=16),
]


@pytest.fixture(params=["path", "file", "memory"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place for a stage: a folder, its URL, and an object store."""
    places = {"path": str(tmp_path), "file": f"file://{tmp_path}", "memory": f"memory://{uuid.uuid4().hex}"}
    return places[request.param]


def test_every_sample_is_read_back_as_it_was_written(folder: str) -> None:
    facts = write_shard(folder, 3, SAMPLES, "plan")
    shard = Shard(folder, 3)
    assert len(shard) == facts.samples == 3
    for row, wanted in enumerate(SAMPLES):
        read = shard.sample(row)
        assert (read.key, read.source, read.length) == (wanted.key, wanted.source, wanted.length)
        assert read.record == json.loads(wanted.record)
        assert read.media == [data for _, data in wanted.media]
        assert read.grids == list(wanted.grids)
        names = [f"{wanted.key}.{n}.{extension}" for n, (extension, _) in enumerate(wanted.media)]
        assert shard.names(row) == [f"{wanted.key}.json", *names]


def test_a_shard_written_from_the_same_plan_is_known_as_finished(folder: str) -> None:
    assert finished_shard(folder, 0, "plan") is None
    facts = write_shard(folder, 0, SAMPLES, "plan")
    assert finished_shard(folder, 0, "plan") == facts
    assert finished_shard(folder, 0, "another plan") is None
    assert finished_shard(folder, 1, "plan") is None
    assert (facts.questions, facts.bytes) == (4, files.identity(f"{folder}/shards/00000.tar")["size"])


def test_equal_samples_give_equal_bytes_wherever_they_are_written(folder: str, tmp_path: Path) -> None:
    there = write_shard(folder, 0, SAMPLES, "plan")
    here = write_shard(str(tmp_path / "other"), 0, iter(SAMPLES), "plan")
    assert there == here
    for name in ("shards/00000.tar", "index/00000.parquet"):
        assert files.read_bytes(f"{folder}/{name}") == (tmp_path / "other" / name).read_bytes()


# fsspec's files in memory are there from their first byte; those of object stores are not.
@pytest.mark.parametrize("folder", ["path", "file"], indirect=True)
def test_a_shard_whose_writing_broke_off_leaves_no_tar_and_no_index(folder: str) -> None:
    def broken() -> Iterator[ShardSample]:
        yield SAMPLES[0]
        raise RuntimeError("out of the blue")

    with pytest.raises(RuntimeError):
        write_shard(folder, 0, broken(), "plan")
    assert not files.exists(f"{folder}/shards/00000.tar")
    assert not files.exists(f"{folder}/index/00000.parquet")


def test_the_index_of_an_older_plan_does_not_vouch_for_a_tar_that_is_being_replaced(tmp_path: Path) -> None:
    write_shard(str(tmp_path), 0, SAMPLES, "old")
    before = (tmp_path / "index/00000.parquet").read_bytes()

    def broken() -> Iterator[ShardSample]:
        yield SAMPLES[0]
        assert not (tmp_path / "index/00000.parquet").exists()
        raise RuntimeError("out of the blue")

    with pytest.raises(RuntimeError):
        write_shard(str(tmp_path), 0, broken(), "new")
    assert finished_shard(str(tmp_path), 0, "old") is None
    write_shard(str(tmp_path), 0, SAMPLES, "old")
    assert (tmp_path / "index/00000.parquet").read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + bytes(100)])
def test_a_damaged_index_means_that_the_shard_is_written_again(tmp_path: Path, content: bytes) -> None:
    write_shard(str(tmp_path), 0, SAMPLES, "plan")
    (tmp_path / "index/00000.parquet").write_bytes(content)
    assert finished_shard(str(tmp_path), 0, "plan") is None


@pytest.mark.parametrize("column", ["text_tokens", "length", "seconds", "source", "grids", "members", "key"])
def test_an_index_with_another_value_means_that_the_shard_is_written_again(
    tmp_path: Path, column: str
) -> None:
    write_shard(str(tmp_path), 0, SAMPLES, "plan")
    path = str(tmp_path / "index/00000.parquet")
    table = files.read_table(path)
    rows = table.to_pylist()
    rows[0][column], rows[1][column] = rows[1][column], rows[0][column]
    files.write_table(path, table)
    assert finished_shard(str(tmp_path), 0, "plan") is not None
    files.write_table(path, pa.Table.from_pylist(rows, table.schema))
    assert finished_shard(str(tmp_path), 0, "plan") is None


@given(st.data())
def test_a_damaged_index_is_never_taken_for_another_one(folder_of_a_shard: Path, data: st.DataObject) -> None:
    path = folder_of_a_shard / "index/00000.parquet"
    whole, table = path.read_bytes(), files.read_table(str(path))
    at = data.draw(st.integers(0, len(whole) - 1))
    flip(path, at, data.draw(st.integers(1, 255)))
    try:
        if finished_shard(str(folder_of_a_shard), 0, "plan") is not None:
            assert files.read_table(str(path)).equals(table, check_metadata=True)
    finally:
        path.write_bytes(whole)


@pytest.fixture(scope="module")
def folder_of_a_shard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shard")
    write_shard(str(folder), 0, SAMPLES, "plan")
    return folder


def test_a_record_that_is_not_what_its_index_says_is_refused(tmp_path: Path) -> None:
    write_shard(str(tmp_path), 0, SAMPLES)
    flip(tmp_path / "shards/00000.tar", 520, 1)
    shard = Shard(str(tmp_path), 0)
    with pytest.raises(
        ShardError, match=r"00000\.tar: the record of test-0+ is not what .* remove that file"
    ):
        shard.sample(0)
    assert shard.sample(1).key == SAMPLES[1].key


def test_a_tar_of_another_length_means_that_the_shard_is_written_again(tmp_path: Path) -> None:
    write_shard(str(tmp_path), 0, SAMPLES, "plan")
    with open(tmp_path / "shards/00000.tar", "ab") as stream:
        stream.write(b"\0")
    assert finished_shard(str(tmp_path), 0, "plan") is None


def test_a_key_that_comes_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ShardError, match="twice"):
        write_shard(str(tmp_path), 0, [SAMPLES[0], SAMPLES[0]])


def test_a_shard_that_is_shorter_than_its_index_says_is_refused(tmp_path: Path) -> None:
    write_shard(str(tmp_path), 0, SAMPLES)
    path = tmp_path / "shards/00000.tar"
    path.write_bytes(path.read_bytes()[:1024])
    with pytest.raises(ShardError, match="shorter"):
        Shard(str(tmp_path), 0)


@pytest.mark.parametrize("name", ["shards/00000.tar", "index/00000.parquet"])
def test_a_shard_with_a_missing_half_is_refused(tmp_path: Path, name: str) -> None:
    write_shard(str(tmp_path), 0, SAMPLES)
    (tmp_path / name).unlink()
    with pytest.raises(ShardError, match="missing"):
        Shard(str(tmp_path), 0)


def test_a_folder_whose_build_did_not_end_is_no_stage(tmp_path: Path) -> None:
    write_shard(str(tmp_path), 0, SAMPLES)
    with pytest.raises(ShardError, match="no finished build"):
        Stage(tmp_path)


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(["jpg", "png"]), st.binary(max_size=1200)), max_size=3), max_size=6
    )
)
def test_any_samples_come_back_from_memory(media: list[list[tuple[str, bytes]]]) -> None:
    folder = f"memory://{uuid.uuid4().hex}"
    samples = [sample(number, *each) for number, each in enumerate(media)]
    write_shard(folder, 0, samples)
    shard = Shard(folder, 0)
    assert shard.keys == [each.key for each in samples]
    assert [shard.read(row) for row in range(len(shard))] == [
        [each.record, *(data for _, data in each.media)] for each in samples
    ]
    files.remove_tree(folder)


def test_a_stage_of_many_shards_keeps_few_of_them_open(tmp_path: Path) -> None:
    count = OPEN_SHARDS + 8
    for number in range(count):
        write_shard(str(tmp_path), number, [sample(number, ("jpg", bytes([number])))])
    plan = sealed_plan({})
    files.write_json(str(tmp_path / "plan.json"), plan)
    facts = {"digest": plan["digest"], "shards": [None] * count}
    files.write_json(str(tmp_path / "stage.json"), sealed_facts(str(tmp_path), facts))
    stage = Stage(tmp_path)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for number in [*range(count), *range(count)]:
        assert stage.sample(number, 0).media == [bytes([number])]
    assert len(list(Path("/proc/self/fd").iterdir())) - before <= OPEN_SHARDS
