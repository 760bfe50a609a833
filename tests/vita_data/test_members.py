"""Media in archives are found by name and read back byte for byte, or refused with a reason."""

from __future__ import annotations

import contextlib
import io
import os
import random
import struct
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.archives import (
    COMPRESSORS,
    listed,
    members_of,
    opened,
    parquet_of,
    patched,
    tar_of,
    zip_of,
)
from vita_data import files
from vita_data.errors import RecordError, SourceError, VitaError
from vita_data.media.containers import index, listing
from vita_data.media.containers.names import fold
from vita_data.media.members import Members, gather_members
from vita_data.records.places import MediaPlaces, Place

LIMIT = 1 << 20
COLUMNS = {"names": "column", "name_column": "image_id", "bytes_column": "image"}
MAKERS: dict[str, tuple[Callable[..., bytes], dict]] = {
    "stored.zip": (lambda pairs: zip_of(pairs, zipfile.ZIP_STORED), {}),
    "deflated.zip": (zip_of, {}),
    "pax.tar": (tar_of, {}),
    "gnu.tar": (lambda pairs: tar_of(pairs, tarfile.GNU_FORMAT), {}),
    "tar.gz": (lambda pairs: COMPRESSORS["gz"](tar_of(pairs)), {}),
    "tar.xz": (lambda pairs: COMPRESSORS["xz"](tar_of(pairs)), {}),
    "tar.zst": (lambda pairs: COMPRESSORS["zst"](tar_of(pairs)), {}),
    "parquet": (lambda pairs: parquet_of(pairs, row_group_size=3), COLUMNS),
}
PARTS = st.text("abAB.éÉ图ß ̈-", min_size=1, max_size=60).filter(
    lambda part: part.strip(". ") and not part.startswith("._")
)
NAMES = st.lists(PARTS, min_size=1, max_size=3).map("/".join)
CONTENTS = st.lists(st.tuples(NAMES, st.binary(max_size=2000)), max_size=12)


def read(members: Members, name: str, **how: object) -> bytes | None:
    member = members.find(name, **how)  # type: ignore[arg-type]
    return None if member is None else members.read(member, LIMIT)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("kind", MAKERS)
@given(contents=CONTENTS, runs=st.sampled_from([2, 1 << 16]))
def test_whatever_is_put_into_an_archive_is_found_and_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    contents: list[tuple[str, bytes]],
    runs: int,
) -> None:
    monkeypatch.setattr(listing, "RUN_ROWS", runs)  # so that a few members make several runs and batches
    monkeypatch.setattr(index, "BATCH_ROWS", runs)
    make, place = MAKERS[kind]
    folder = tmp_path_factory.mktemp("any")
    members = members_of(folder, f"a.{kind}", make(contents), prefix="media/", **place)
    for name, data in dict(contents).items():  # of equal names the last is what unpacking leaves
        member = members.find(f"media/{name}")
        assert member is not None and members.read(member, LIMIT) == data
        where = members.locate(member)
        if where is not None:
            path = where[0].replace("root:", f"{folder}/root/").replace("catalog:", f"{folder}/catalog/")
            assert Path(path).read_bytes()[where[1] : where[1] + where[2]] == data
        else:
            assert kind == "deflated.zip"
    for absent in ("media/none.jpg", "media/", "none", contents[0][0] if contents else "x"):
        assert members.find(absent) is None


def test_only_names_that_stay_inside_and_are_no_litter_are_listed(tmp_path: Path) -> None:
    names = [
        "/abs.jpg",
        "../up.jpg",
        "a/../../b.jpg",
        "a/../b.jpg",
        "C:\\x.jpg",
        "__MACOSX/a.jpg",
        "x/._a.jpg",
    ]
    (tmp_path / "a.tar").write_bytes(tar_of([(name, b"1") for name in [*names, ".//ok/./a.jpg", "b\\c.jpg"]]))
    media = MediaPlaces((Place("a.tar"),))
    assert listed(media, tmp_path, tmp_path / "out")[0].left_out == {"litter": 2, "name_leads_out": 5}
    members = opened(media, tmp_path, tmp_path / "out")
    assert read(members, "ok/a.jpg") == read(members, "b/c.jpg") == read(members, "./ok//a.jpg") == b"1"
    for name in [*names, "b.jpg", "abs.jpg", "up.jpg", "x.jpg", "", ".", "\0", "a\ud800"]:
        assert members.find(name) is None


def test_names_that_are_not_utf8_or_too_long_are_left_out_and_counted(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT, encoding="latin-1") as archive:
        for name in ("x" * 5000, "é.jpg"):
            archive.addfile(tarfile.TarInfo(name))
    (tmp_path / "a.tar").write_bytes(out.getvalue())
    found = listed(MediaPlaces((Place("a.tar"),)), tmp_path, tmp_path / "out")
    assert found[0].left_out == {"name_not_utf8": 1, "name_too_long": 1}


def test_places_are_searched_in_order_and_later_archives_of_a_place_overwrite(tmp_path: Path) -> None:
    (tmp_path / "chunks").mkdir()
    for number in (0, 1):
        pairs = [("deep/both.jpg", b"%d" % number), (f"other/{number}.jpg", b"only")]
        (tmp_path / "chunks" / f"images_{number}.zip").write_bytes(zip_of(pairs))
    inner = [
        ("mnt/x/4o/image/both.jpg", b"absolute"),
        ("mnt/x/4o/image/new.jpg", b"new"),
        ("top.jpg", b"top"),
    ]
    (tmp_path / "images.tar").write_bytes(tar_of(inner))
    places = (
        Place("chunks/images_*.zip", prefix="laion/images/", names="base"),
        Place("images.tar", prefix="laion/images/", strip="mnt/x/4o/image/"),
    )
    members = opened(MediaPlaces(places), tmp_path, tmp_path / "out")
    assert read(members, "laion/images/both.jpg") == b"1"
    assert read(members, "laion/images/0.jpg") == read(members, "laion/images/1.jpg") == b"only"
    assert read(members, "laion/images/new.jpg") == b"new"
    for name in (
        "laion/images/deep/both.jpg",
        "laion/images/top.jpg",
        "laion/new.jpg",
        "both.jpg",
        "top.jpg",
    ):
        assert members.find(name) is None
    turned = opened(MediaPlaces(places[::-1]), tmp_path, tmp_path / "out")
    assert read(turned, "laion/images/both.jpg") == b"absolute"


def test_another_case_or_extension_is_found_only_where_the_card_allows_it(tmp_path: Path) -> None:
    nfd = unicodedata.normalize("NFD", "Café.jpg")
    pairs = [
        ("A/B.JPG", b"1"),
        ("c.png", b"2"),
        ("d.WEBP", b"3"),
        ("e.mp4", b"4"),
        (nfd, b"5"),
        ("straße", b"6"),
    ]
    (tmp_path / "a.zip").write_bytes(zip_of(pairs))
    names = {"a/b.jpg": b"1", "c.jpg": b"2", "d.jpg": b"3", "e.jpg": None, "café.jpg": b"5", "STRASSE": b"6"}
    allowed: dict[tuple, set[str]] = {
        (): set(),
        ("case",): {"a/b.jpg", "café.jpg", "STRASSE"},
        ("extension",): {"c.jpg"},
        ("extension", "case"): {"a/b.jpg", "café.jpg", "STRASSE", "c.jpg", "d.jpg"},
    }
    for fallback, found in allowed.items():
        members = opened(MediaPlaces((Place("a.zip"),), fallback), tmp_path, tmp_path / "out")
        assert {name for name in names if members.find(name) is not None} == found
        assert all(read(members, name) == names[name] for name in found)
        assert not any(members.find(name, exact=True) for name in names)
        assert (members.find("e.webm", "video") is not None) == ("extension" in fallback)
        assert members.find("e.wav", "audio") is None


def test_the_folder_of_a_place_may_be_in_another_case_too(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zip_of([("a.jpg", b"1")]))
    for fallback in ((), ("case",)):
        media = MediaPlaces((Place("a.zip", prefix="VG_100K/"),), fallback)  # type: ignore[arg-type]
        members = opened(media, tmp_path, tmp_path / "out")
        assert read(members, "VG_100K/a.jpg") == b"1"
        assert read(members, "vg_100k/a.jpg") == (b"1" if fallback else None)


def test_a_cut_zip_is_said_to_be_cut(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zip_of([("a.jpg", DATA)])[:-30])
    with pytest.raises(SourceError, match="no directory at its end, so it is cut"):
        listed(MediaPlaces((Place("a.zip"),)), tmp_path, tmp_path / "out")


def test_the_exact_name_wins_over_every_fallback_in_any_place(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zip_of([("X.JPG", b"case"), ("x.png", b"extension"), ("x", b"bare")]))
    (tmp_path / "b.zip").write_bytes(zip_of([("x.jpg", b"exact")]))
    both = MediaPlaces((Place("a.zip"), Place("b.zip")), ("case", "extension"))
    assert read(opened(both, tmp_path, tmp_path / "out"), "x.jpg") == b"exact"
    one = Place("a.zip")
    assert (
        read(opened(MediaPlaces((one,), ("case", "extension")), tmp_path, tmp_path / "out"), "x.jpg")
        == b"case"
    )
    assert (
        read(opened(MediaPlaces((one,), ("extension", "case")), tmp_path, tmp_path / "out"), "x.jpg")
        == b"extension"
    )
    assert read(opened(MediaPlaces((one,), ("extension",)), tmp_path, tmp_path / "out"), "x.q") is None
    assert (
        read(opened(MediaPlaces((one,), ("extension",)), tmp_path, tmp_path / "out"), "x.tiff")
        == b"extension"
    )


@given(st.text(max_size=20))
def test_folding_is_done_once_and_for_all(name: str) -> None:
    assert fold(fold(name)) == fold(name) == fold(unicodedata.normalize("NFD", name))
    assert name.isascii() is False or fold(name) == fold(name.upper())


def test_names_with_equal_hashes_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (listing, index):
        monkeypatch.setattr(module, "name_hash", lambda name: b"\x07" * 8)
    members = members_of(tmp_path, "a.tar", tar_of([(f"{n}.jpg", b"%d" % n) for n in range(50)]))
    assert [read(members, f"{n}.jpg") for n in range(50)] == [b"%d" % n for n in range(50)]
    assert members.find("50.jpg") is None


def test_what_an_archive_refuses_is_a_reason_and_not_missing(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("link.jpg")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(info)
    members = members_of(tmp_path, "a.tar", out.getvalue())
    member = members.find("link.jpg")
    assert member is not None and members.locate(member) is None
    with pytest.raises(RecordError, match=r"link\.jpg in a\.tar is a link") as error:
        members.read(member, LIMIT)
    assert error.value.rule == "media_unreadable"


def test_a_medium_above_the_limit_is_not_read(tmp_path: Path) -> None:
    for name, data in (
        ("a.zip", zip_of([("a.jpg", bytes(5000))])),
        ("a.tar", tar_of([("a.jpg", bytes(5000))])),
    ):
        members = members_of(tmp_path, name, data)
        member = members.find("a.jpg")
        assert member is not None and len(members.read(member, 5000)) == 5000
        with pytest.raises(RecordError, match="5000 bytes") as error:
            members.read(member, 4999)
        assert (error.value.rule, error.value.value, error.value.threshold) == (
            "media_too_large",
            "5000",
            "4999",
        )


DATA = b"1234567890" * 300
STORED, DEFLATED = zip_of([("a.jpg", DATA)], zipfile.ZIP_STORED), zip_of([("a.jpg", DATA)])
LOCAL_FIELDS = {"flags": 6, "method": 8, "crc": 14, "packed": 18, "size": 22, "name": 30, "signature": 0}


@pytest.mark.parametrize("archive", [STORED, DEFLATED], ids=["stored", "deflated"])
@pytest.mark.parametrize("field", LOCAL_FIELDS)
def test_a_local_header_that_disagrees_with_the_directory_is_refused(
    tmp_path: Path, archive: bytes, field: str
) -> None:
    at = LOCAL_FIELDS[field]
    members = members_of(tmp_path, "a.zip", patched(archive, at, bytes([archive[at] ^ 1])))
    member = members.find("a.jpg")
    assert member is not None
    with pytest.raises(RecordError, match="local header") as error:
        members.read(member, LIMIT)
    assert error.value.rule == "media_unreadable"
    if archive is STORED:
        with pytest.raises(RecordError, match="local header"):
            members.locate(member)


def test_bytes_that_are_not_what_the_checksum_says_are_refused(tmp_path: Path) -> None:
    members = members_of(tmp_path, "a.zip", STORED.replace(DATA[:50], b"x" * 50, 1))
    with pytest.raises(RecordError, match="checksum"):
        read(members, "a.jpg")
    body = DEFLATED.index(b"a.jpg") + 5
    members = members_of(tmp_path, "a.zip", patched(DEFLATED, body, b"\xff\xff"))
    with pytest.raises(RecordError, match="inflated"):
        read(members, "a.jpg")


def test_a_bomb_that_states_a_small_size_is_stopped_at_that_size(tmp_path: Path) -> None:
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = engine.compress(bytes(50 << 20)) + engine.flush()
    data = zip_of([("a.jpg", b"")], zipfile.ZIP_STORED)
    local, central = data[:35], data[35 : data.rindex(b"PK\5\6")]
    facts = struct.pack("<2HL2L", 0, 0, 0, len(packed), 100)
    local = patched(patched(local, 8, b"\x08\0"), 10, facts)
    central = patched(patched(central, 10, b"\x08\0"), 12, facts)
    end = patched(data[data.rindex(b"PK\5\6") :], 16, struct.pack("<L", len(local + packed)))
    members = members_of(tmp_path, "a.zip", local + packed + central + end)
    with pytest.raises(RecordError, match="inflates to more than its archive says"):
        read(members, "a.jpg")


def test_a_local_header_longer_than_the_directory_makes_believe_is_read(tmp_path: Path) -> None:
    long = ("d" * 60 + "/") * 30 + "a.jpg"
    data = bytearray(zip_of([(long, DATA), ("b.jpg", b"2")], zipfile.ZIP_STORED))
    members = members_of(tmp_path, "a.zip", bytes(data), names="base")
    member = members.find("a.jpg")
    assert member is not None and members.read(member, LIMIT) == DATA
    assert members.locate(member) == ("root:a.zip", 30 + len(long), len(DATA))
    assert read(members, "b.jpg") == b"2"  # near the end of the file


def test_a_cut_tar_stops_the_build_or_gives_what_stands_before_the_cut(tmp_path: Path) -> None:
    whole = tar_of([(f"{n}.jpg", b"%d" % n * 600) for n in range(9)])
    for name, data in (("a.tar", whole[:5000]), ("b.tar.gz", COMPRESSORS["gz"](whole)[:150])):
        (tmp_path / name).write_bytes(data)
        out = tmp_path / f"out-{name}"
        with pytest.raises(
            SourceError, match=rf"{name} is cut or damaged .* after \d+ members; fetch it again"
        ):
            listed(MediaPlaces((Place(name),)), tmp_path, out)
        assert not list(out.rglob("*.tar")) and not list(out.rglob("*.json"))
        keep = MediaPlaces((Place(name),), on_cut="keep")
        found = listed(keep, tmp_path, out)
        assert found[0].cut is not None and 0 < found[0].members < 9
        members = opened(keep, tmp_path, out)
        for number in range(found[0].members):
            assert read(members, f"{number}.jpg") == b"%d" % number * 600
        assert members.find(f"{found[0].members}.jpg") is None
        with pytest.raises(SourceError, match="cut or damaged"):  # the kept listing does not hide it
            listed(MediaPlaces((Place(name),)), tmp_path, out)


class FailingDisk(io.BytesIO):
    """A file whose later half cannot be read."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() > 2000:
            raise OSError(5, "Input/output error")
        return super().read(size)


@pytest.mark.parametrize("kind", ["tar.gz", "parquet", "pax.tar"])
def test_a_disk_that_fails_does_not_make_a_cut_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    make, place = MAKERS[kind]
    rng = random.Random(1)
    data = make([(f"{n}.jpg", rng.randbytes(30_000)) for n in range(40)])
    (tmp_path / "a").write_bytes(data)
    monkeypatch.setattr(files, "open_read", lambda path: contextlib.nullcontext(FailingDisk(data)))
    with pytest.raises(SourceError, match=r"a cannot be read \(Input/output error"):
        listed(MediaPlaces((Place("a", **place),), on_cut="keep"), tmp_path, tmp_path / "out")
    assert not list((tmp_path / "out").rglob("*.json"))


def test_a_listing_is_made_once_and_again_when_its_archive_changes(tmp_path: Path) -> None:
    media = MediaPlaces((Place("a.tar.gz"),))
    (tmp_path / "a.tar.gz").write_bytes(COMPRESSORS["gz"](tar_of([("a.jpg", b"1")])))
    first = listed(media, tmp_path, tmp_path / "out")
    path = gather_members(media, str(tmp_path), str(tmp_path / "out"))
    before = {entry.name: entry.stat().st_mtime_ns for entry in os.scandir(tmp_path / "out" / "members")}
    assert listed(media, tmp_path, tmp_path / "out") == first
    assert gather_members(media, str(tmp_path), str(tmp_path / "out")) == path
    assert before == {
        entry.name: entry.stat().st_mtime_ns for entry in os.scandir(tmp_path / "out" / "members")
    }
    (tmp_path / "a.tar.gz").write_bytes(COMPRESSORS["gz"](tar_of([("a.jpg", b"22")])))
    with pytest.raises(SourceError, match="changed while it was listed"):
        gather_members(media, str(tmp_path), str(tmp_path / "out"))
    assert read(opened(media, tmp_path, tmp_path / "out"), "a.jpg") == b"22"


def test_the_same_archives_leave_the_same_bytes(tmp_path: Path) -> None:
    rng = random.Random(1)
    pairs = [(f"{rng.randrange(500)}.jpg", rng.randbytes(50)) for _ in range(400)]
    (tmp_path / "a.tar.gz").write_bytes(COMPRESSORS["gz"](tar_of(pairs)))
    (tmp_path / "b.zip").write_bytes(zip_of(pairs))
    media = MediaPlaces((Place("*.*"),))
    for out in ("one", "two"):
        opened(media, tmp_path, tmp_path / out)
    one, two = (
        {path.name: path.read_bytes() for path in (tmp_path / o / "members").iterdir()}
        for o in ("one", "two")
    )
    assert one == two and len(one) == 7


def test_an_archive_that_vanished_or_shrank_makes_its_media_unreadable(tmp_path: Path) -> None:
    members = members_of(tmp_path, "a.tar", tar_of([("a.jpg", DATA), ("b.jpg", DATA)]))
    member = members.find("b.jpg")
    assert member is not None
    os.truncate(tmp_path / "root" / "a.tar", 4000)
    with pytest.raises(RecordError, match=r"b\.jpg in a\.tar lies behind the end"):
        members.read(member, LIMIT)
    os.unlink(tmp_path / "root" / "a.tar")
    members.close()
    with pytest.raises(RecordError, match="cannot be read"):
        members.read(member, LIMIT)


def test_a_place_where_nothing_lies_is_said_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no file matches sa_\*\.tar below"):
        listed(MediaPlaces((Place("sa_*.tar"),)), tmp_path, tmp_path / "out")


@pytest.mark.parametrize("scheme", ["memory", "file"])
def test_archives_at_urls_are_read_by_range(tmp_path: Path, scheme: str) -> None:
    base = f"memory://members-{tmp_path.name}" if scheme == "memory" else f"file://{tmp_path}"
    contents = [(f"{n}/图.jpg", bytes([n]) * 500) for n in range(40)]
    for kind, (make, _) in MAKERS.items():
        files.write_bytes(f"{base}/root/a.{kind}", make(contents))
    places = tuple(Place(f"a.{kind}", prefix=f"{kind}/", **how) for kind, (_, how) in MAKERS.items())
    members = opened(MediaPlaces(places), f"{base}/root", f"{base}/catalog")
    for kind in MAKERS:
        assert [read(members, f"{kind}/{name}") for name, _ in contents] == [data for _, data in contents]
    member = members.find("pax.tar/3/图.jpg")
    assert member is not None
    where = members.locate(member)
    assert where is not None and where[0] == "root:a.pax.tar"
    assert files.RangeReader().read(f"{base}/root/a.pax.tar", *where[1:]) == contents[3][1]


def test_a_member_at_a_url_that_is_read_and_pointed_to_costs_one_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: list[tuple[int, int]] = []
    plain = files.RangeReader.read

    def counted(self: files.RangeReader, path: str, offset: int, length: int) -> bytes:
        requests.append((offset, length))
        return plain(self, path, offset, length)

    base = f"memory://requests-{tmp_path.name}"
    files.write_bytes(f"{base}/a.zip", zip_of([("a.jpg", DATA), ("longer.jpg", DATA)], zipfile.ZIP_STORED))
    members = opened(MediaPlaces((Place("a.zip"),)), base, f"{base}/catalog")
    monkeypatch.setattr(files.RangeReader, "read", counted)
    for name, offset in (("longer.jpg", 35 + len(DATA) + 40), ("a.jpg", 35)):
        member = members.find(name)
        assert member is not None and members.read(member, LIMIT) == DATA
        assert members.locate(member) == ("root:a.zip", offset, len(DATA))
    assert len(requests) == 2
    first = members.find("longer.jpg")
    assert first is not None and members.locate(first) == ("root:a.zip", 35 + len(DATA) + 40, len(DATA))


def test_many_archives_are_merged_and_read_with_few_files_open(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"{number:03d}.tar").write_bytes(tar_of([(f"{number}.jpg", b"%d" % number)]))
    before = len(os.listdir("/proc/self/fd"))
    members = opened(MediaPlaces((Place("*.tar"),)), tmp_path, tmp_path / "out")
    assert len(os.listdir("/proc/self/fd")) <= before + 1
    assert [read(members, f"{n}.jpg") for n in range(300)] == [b"%d" % n for n in range(300)]
    assert len(os.listdir("/proc/self/fd")) <= before + files.OPEN_FILES + 1
    members.close()
    assert len(os.listdir("/proc/self/fd")) <= before + 1


FUZZED = [(f"{n}/图{'x' * n * 20}.jpg", bytes([n]) * n * 100) for n in range(6)]


@settings(deadline=3000, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("kind", MAKERS)
@given(data=st.data())
def test_a_damaged_archive_gives_the_right_bytes_or_a_reason_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, kind: str, data: st.DataObject
) -> None:
    make, place = MAKERS[kind]
    damaged = bytearray(make(FUZZED))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at] = data.draw(
            st.sampled_from([0, 1, 0x7F, 0x80, 0xFF, damaged[at] ^ 1, damaged[at] ^ 0x40])
        )
    if data.draw(st.booleans()):
        del damaged[data.draw(st.integers(0, len(damaged))) :]
    try:
        members = members_of(tmp_path_factory.mktemp("fuzz"), f"a.{kind}", bytes(damaged), **place)
    except VitaError as error:
        assert isinstance(error, SourceError) and "\n" not in str(error)
        return
    for name, content in FUZZED:
        try:
            found = read(members, name)
        except RecordError as error:
            assert error.rule in ("media_unreadable", "media_too_large")
            continue
        assert found is None or found == content or kind in ("pax.tar", "gnu.tar", "parquet")


class Pipe(io.RawIOBase):
    """A stream that cannot go back, for which zips carry sizes behind the data."""

    def __init__(self) -> None:
        self.data = b""

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.data += bytes(data)
        return len(data)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_written_to_a_pipe_is_read(tmp_path: Path, method: int) -> None:
    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", method) as archive:
        for number in range(3):
            archive.writestr(f"{number}.jpg", b"%d" % number * 500)
    assert struct.unpack_from("<HH3L", pipe.data, 6)[0] & 8
    members = members_of(tmp_path, "a.zip", pipe.data)
    assert [read(members, f"{n}.jpg") for n in range(3)] == [b"%d" % n * 500 for n in range(3)]
