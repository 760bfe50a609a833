"""An archive that a publisher cut into files is read as one, without joining them on disk."""

from __future__ import annotations

import os
import random
import zipfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.archives import COMPRESSORS, listed, opened, tar_of, zip_of
from vita_data import files
from vita_data.errors import RecordError, SourceError
from vita_data.media import members
from vita_data.media.containers.parts import first_parts, names_of
from vita_data.media.containers.walk import container_items, files_of
from vita_data.media.containers.zips import walk
from vita_data.media.members import gather_members
from vita_data.records.places import MediaPlaces, Place

LIMIT = 1 << 20
CONTENTS = [(f"{n}/图.jpg", random.Random(n).randbytes(n * 97)) for n in range(40)]
MAKERS: dict[str, Callable[..., bytes]] = {
    "tar": tar_of,
    "zip": zip_of,
    "stored.zip": lambda pairs: zip_of(pairs, zipfile.ZIP_STORED),
    **{f"tar.{kind}": lambda pairs, pack=pack: pack(tar_of(pairs)) for kind, pack in COMPRESSORS.items()},
}
ENDINGS = {
    ".aa": (".aa", ".ab", ".ac", ".ad"),
    ".part-aa": (".part-aa", ".part-ab", ".part-ac", ".part-ad"),
    "partaa": (".partaa", ".partab", ".partac", ".partad"),
    ".001": (".001", ".002", ".003", ".004"),
    "_00": ("_00", "_01", "_02", "_03"),
    ".part9": (".part0", ".part1", ".part2", ".part3"),
}


def cut(folder: Path, data: bytes, names: list[str]) -> None:
    """The bytes in so many files, of unequal lengths."""
    folder.mkdir(exist_ok=True)
    step = len(data) // len(names) + 1
    bounds = [0, *(step * n - 7 * n for n in range(1, len(names))), len(data)]
    for name, (start, end) in zip(names, pairwise(bounds), strict=True):
        (folder / name).write_bytes(data[start:end])


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("kind", MAKERS)
def test_an_archive_in_parts_is_read_as_one(tmp_path: Path, kind: str, ending: str) -> None:
    names = [f"a.{kind}{end}" for end in ENDINGS[ending]]
    cut(tmp_path, MAKERS[kind](CONTENTS), names)
    media = MediaPlaces((Place(f"a.{kind}*"),))
    assert [item[1] for item in container_items(media, str(tmp_path), "out")] == [names[0]]
    assert files_of(str(tmp_path), media.places[0]) == names
    found = opened(media, tmp_path, tmp_path / "out")
    in_one = 0
    for name, data in CONTENTS:
        member = found.find(name)
        assert member is not None and found.read(member, LIMIT) == data
        where = found.locate(member)
        if where is not None:
            path = where[0].replace("root:", f"{tmp_path}/").replace("catalog:", f"{tmp_path}/out/")
            assert Path(path).read_bytes()[where[1] : where[1] + where[2]] == data
            in_one += 1
    wanted = {"zip": [0], "tar": [37, 38, 39], "stored.zip": [37, 38, 39]}.get(kind, [40])
    assert in_one in wanted, "what reaches over a cut has no place of its own"


@pytest.mark.parametrize("kind", ["tar", "zip", "stored.zip"])
def test_a_large_member_that_reaches_over_a_cut_is_read_as_a_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(members, "HELD_BYTES", 0)
    data = random.Random(1).randbytes(100_000)
    cut(tmp_path, MAKERS[kind]([("x", b"x"), ("a.mp4", data)]), [f"a.{kind}.00{n}" for n in range(1, 6)])
    found = opened(MediaPlaces((Place(f"a.{kind}.001"),)), tmp_path, tmp_path / "out")
    member = found.find("a.mp4")
    assert member is not None and found.locate(member) is None
    with found.stream(member, LIMIT) as stream:
        stream.seek(50_000)
        assert stream.read(40_000) == data[50_000:90_000]
        stream.seek(0)
        assert stream.read() == data


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.integers(0, len(tar_of(CONTENTS[:6]))), min_size=1, max_size=5),
    st.sampled_from(["tar", "zip"]),
)
def test_it_may_be_cut_anywhere(tmp_path_factory: pytest.TempPathFactory, cuts: list[int], kind: str) -> None:
    folder = tmp_path_factory.mktemp("cut")
    data = MAKERS[kind](CONTENTS[:6])
    bounds = [0, *sorted(min(at, len(data)) for at in cuts), len(data)]
    for number, (start, end) in enumerate(pairwise(bounds)):
        (folder / f"a.{kind}.{number:03d}").write_bytes(data[start:end])
    found = opened(MediaPlaces((Place("a.*"),)), folder, folder / "out")
    for name, content in CONTENTS[:6]:
        member = found.find(name)
        assert member is not None and found.read(member, LIMIT) == content


def test_parts_at_a_url_are_read_by_range() -> None:
    base, data = "memory://parts", tar_of(CONTENTS)
    for number, end in enumerate(("aa", "ab", "ac")):
        files.write_bytes(f"{base}/deep/a.tar.{end}", data[number * 30_000 : number * 30_000 + 30_000])
    files.write_bytes(f"{base}/deep/a.tar.ad", data[90_000:])
    found = opened(MediaPlaces((Place("deep/*", prefix="p/"),)), base, f"{base}/catalog")
    for name, content in CONTENTS:
        member = found.find(f"p/{name}")
        assert member is not None and found.read(member, LIMIT) == content


def test_many_archives_in_parts_beside_whole_ones_are_told_apart(tmp_path: Path) -> None:
    for stem in ("x", "y", "z[1]"):
        cut(tmp_path, tar_of([(f"{stem}.jpg", stem.encode() * 900)]), [f"{stem}.tar.aa", f"{stem}.tar.ab"])
    (tmp_path / "w.tar").write_bytes(tar_of([("w.jpg", b"w")]))
    (tmp_path / "x.tar.gz").write_bytes(COMPRESSORS["gz"](tar_of([("gz.jpg", b"gz")])))
    names = sorted(os.listdir(tmp_path))
    assert first_parts(str(tmp_path), names) == ["w.tar", "x.tar.aa", "x.tar.gz", "y.tar.aa", "z[1].tar.aa"]
    found = opened(MediaPlaces((Place("*.*"),)), tmp_path, tmp_path / "out")
    for name, data in (
        ("w", b"w"),
        ("gz", b"gz"),
        *((stem, stem.encode() * 900) for stem in ("x", "y", "z[1]")),
    ):
        member = found.find(f"{name}.jpg")
        assert member is not None and found.read(member, LIMIT) == data


def test_ten_parts_without_leading_zeros_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    data, names = tar_of(CONTENTS), [f"a.tar.part{number}" for number in range(1, 13)]
    cut(tmp_path, data, names)
    assert names_of(str(tmp_path), "a.tar.part1") == names
    assert listed(MediaPlaces((Place("a.tar.part*"),)), tmp_path, tmp_path / "out")[0].members == len(
        CONTENTS
    )


@pytest.mark.parametrize("kind", MAKERS)
def test_whole_archives_that_are_only_numbered_are_not_joined(tmp_path: Path, kind: str) -> None:
    for number in (1, 2, 3):
        (tmp_path / f"a.{kind}.00{number}").write_bytes(MAKERS[kind]([(f"{number}.jpg", b"%d" % number)]))
    found = opened(MediaPlaces((Place("a.*"),)), tmp_path, tmp_path / "out")
    for number in (1, 2, 3):
        member = found.find(f"{number}.jpg")
        assert member is not None and found.read(member, LIMIT) == b"%d" % number


def test_a_tar_that_was_cut_between_two_members_is_joined(tmp_path: Path) -> None:
    data = tar_of([("a.jpg", b"1" * 512), ("b.jpg", b"2")])
    for number, part in enumerate((data[:1024], data[1024:])):
        (tmp_path / f"a.tar.{number}").write_bytes(part)
    assert first_parts(str(tmp_path), ["a.tar.0", "a.tar.1"]) == ["a.tar.0"]


def test_a_part_that_is_missing_is_named(tmp_path: Path) -> None:
    names = [f"a.tar.a{letter}" for letter in "abcd"]
    cut(tmp_path, tar_of(CONTENTS), names)
    media = MediaPlaces((Place("a.tar.*"),))
    (tmp_path / "a.tar.ac").rename(tmp_path / "gone")
    with pytest.raises(SourceError, match=r"a\.tar\.ad does not follow a\.tar\.ab, the part before it"):
        listed(media, tmp_path, tmp_path / "out")
    (tmp_path / "a.tar.ad").unlink()
    with pytest.raises(SourceError, match=r"a\.tar\.aa is cut or damaged"):
        listed(media, tmp_path, tmp_path / "out")
    (tmp_path / "a.tar.aa").unlink()
    with pytest.raises(SourceError, match=r"a\.tar\.ab is no zip, tar.*join its parts"):
        listed(media, tmp_path, tmp_path / "out")


def test_a_changed_part_is_another_archive(tmp_path: Path) -> None:
    data = tar_of(CONTENTS)
    cut(tmp_path, data, ["a.tar.aa", "a.tar.ab"])
    media = MediaPlaces((Place("a.tar.aa"),))
    found = opened(media, tmp_path, tmp_path / "out")
    os.utime(tmp_path / "a.tar.ab", ns=(1, 1))
    with pytest.raises(SourceError, match="changed while it was listed"):
        gather_members(media, str(tmp_path), str(tmp_path / "out"))
    os.truncate(tmp_path / "a.tar.ab", 1000)
    member = found.find(CONTENTS[-1][0])
    assert member is not None
    with pytest.raises(RecordError, match="lies behind the end"):
        found.read(member, LIMIT)


def test_a_zip_of_many_disks_is_refused_with_the_command_that_joins_it(tmp_path: Path) -> None:
    (tmp_path / "a.z01").write_bytes(b"PK\7\x08" + zip_of(CONTENTS)[:1000])
    data = bytearray(zip_of(CONTENTS))
    data[data.rindex(b"PK\5\6") + 4] = 1
    (tmp_path / "a.zip").write_bytes(bytes(data))
    for name in ("a.z*", "a.zip"):
        with pytest.raises(SourceError, match=r"zip -s 0 .*a\.zip --out joined\.zip") as error:
            listed(MediaPlaces((Place(name),)), tmp_path, tmp_path / "out")
        assert "\n" not in str(error.value)
    with open(tmp_path / "a.zip", "rb") as stream, pytest.raises(SourceError, match="zip -s 0"):
        list(walk(stream, "a.zip", len(data)))
