"""Directories of zips, tars, compressed tars and parquet files, against the standard library and against harm."""

from __future__ import annotations

import base64
import contextlib
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.archives import COMPRESSORS, directory_of, listed, parquet_of, patched, tar_of, zip_of
from vita_data.errors import SourceError
from vita_data.media.containers import compressed, tars, zips
from vita_data.media.containers.cells import walk_cells
from vita_data.media.containers.compressed import walk_compressed
from vita_data.media.containers.entry import CutError, Entry, Way
from vita_data.media.containers.walk import kind_of
from vita_data.records.places import MediaPlaces, Place

FORMATS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)
PARTS = st.text("abB.é图 _-", min_size=1, max_size=40).filter(lambda part: part.strip(". "))
NAMES = st.lists(PARTS, min_size=1, max_size=4).map("/".join)
CONTENTS = st.lists(st.tuples(NAMES, st.binary(max_size=1300)), max_size=5)
TYPES = [
    tarfile.REGTYPE,
    tarfile.DIRTYPE,
    tarfile.SYMTYPE,
    tarfile.LNKTYPE,
    tarfile.FIFOTYPE,
    tarfile.CHRTYPE,
]


def walk_tar(data: bytes) -> list[Entry]:
    return list(tars.walk(io.BytesIO(data), "a.tar", len(data)))


def walk_zip(data: bytes) -> list[Entry]:
    return list(zips.walk(io.BytesIO(data), "a.zip", len(data)))


@settings(deadline=None)
@given(CONTENTS, st.sampled_from(FORMATS))
def test_a_tar_lists_as_tarfile_lists_it(contents: list[tuple[str, bytes]], form: int) -> None:
    try:
        data = tar_of(contents, form)
    except ValueError:  # a name too long for ustar
        return
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        wanted = [(member.name, member.offset_data, member.size) for member in archive]
    assert [(entry.name, entry.offset, entry.size) for entry in walk_tar(data)] == wanted
    assert {entry.way for entry in walk_tar(data)} <= {Way.PLAIN}


@settings(deadline=None)
@given(st.lists(st.tuples(NAMES, st.sampled_from(TYPES)), max_size=6), st.sampled_from(FORMATS))
def test_links_and_devices_in_a_tar_are_refused_and_what_follows_them_is_found(
    members: list[tuple[str, bytes]], form: int
) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, kind in [*members, ("last", tarfile.REGTYPE)]:
            info = tarfile.TarInfo(name[:60])
            info.type, info.linkname, info.size = kind, "/etc/passwd", 3 if kind == tarfile.REGTYPE else 0
            archive.addfile(info, io.BytesIO(b"abc"))
    kinds = {tarfile.SYMTYPE: Way.LINK, tarfile.LNKTYPE: Way.LINK, tarfile.REGTYPE: Way.PLAIN}
    wanted = [kinds.get(kind, Way.SPECIAL) for _, kind in members if kind != tarfile.DIRTYPE]
    assert [entry.way for entry in walk_tar(out.getvalue())] == [*wanted, Way.PLAIN]


def header(name: bytes = b"a.jpg", size: bytes = b"00000000003\0", kind: bytes = b"0") -> bytearray:
    """A tar header whose checksum is still to be written."""
    block = bytearray(512)
    block[: len(name)], block[124:136], block[156:157], block[257:265] = name, size, kind, b"ustar  \0"
    return block


def summed(block: bytearray, signed: bool = False) -> bytes:
    block[148:156] = b" " * 8
    total = sum(struct.unpack("512b", block)) if signed else sum(block)
    block[148:156] = b"%06o\0 " % total
    return bytes(block)


def test_a_header_summed_as_signed_bytes_is_taken() -> None:
    data = summed(header("é.jpg".encode()), signed=True) + b"abc".ljust(512, b"\0") + bytes(1024)
    assert [(entry.name, entry.size) for entry in walk_tar(data)] == [("é.jpg", 3)]


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (b"\xff" * 12, "negative"),  # minus one
        (b"\x80" + b"\x3f" * 11, "a size of"),
        (b"77777777777\0", "a size of|in the middle|of 8589934591 bytes"),
        (b"-0000000003\0", "no number"),
        (b"0x000000003\0", "no number"),
        (b"0_000000003\0", "no number"),
    ],
)
@pytest.mark.parametrize("kind", [b"0", b"x", b"L", b"S"])
def test_a_size_that_is_negative_huge_or_no_number_ends_the_tar(size: bytes, words: str, kind: bytes) -> None:
    before = tar_of([("ok.jpg", b"1")])[:1024]
    with pytest.raises(CutError, match=f"({words}).* after 1 members") as error:
        walk_tar(before + summed(header(size=size, kind=kind)) + bytes(2048))
    assert len(str(error.value)) < 300


def test_a_name_of_megabytes_is_not_read(tmp_path: Path) -> None:
    data = summed(header(size=b"%011o\0" % (2 << 20), kind=b"L")) + bytes(2 << 20) + TAR
    with pytest.raises(CutError, match="a name of 2097152 bytes at byte 0"):
        walk_tar(data)


def test_the_size_in_a_pax_header_counts() -> None:
    record = b"10 size=3\n"
    pax = summed(header(b"pax", b"%011o\0" % len(record), b"x")) + record.ljust(512, b"\0")
    data = pax + summed(header(size=b"00000000000\0")) + b"abc".ljust(512, b"\0") + TAR
    assert [entry.size for entry in walk_tar(data)] == [3, 700, 10, 0]


def test_a_base_256_size_is_read() -> None:
    data = summed(header(size=b"\x80" + b"\0" * 10 + b"\3")) + b"abc".ljust(512, b"\0") + bytes(1024)
    assert [entry.size for entry in walk_tar(data)] == [3]


@pytest.mark.parametrize(
    "record",
    [b"", b"99999 path=a\n", b"path=a\n", b"9 path=ab", b"-5 a=b\n", b"0 a=b\n", b"8 patha\n", b"+9 pat=a\n"],
)
def test_a_pax_header_that_makes_no_sense_ends_the_tar_or_says_nothing(record: bytes) -> None:
    block = summed(header(b"pax", b"%011o\0" % len(record), b"x"))
    data = block + record.ljust(512 if record else 0, b"\0") + tar_of([("a.jpg", b"1")])
    if record:
        with pytest.raises(CutError, match="pax"):
            walk_tar(data)
    else:
        assert [entry.name for entry in walk_tar(data)] == ["a.jpg"]


def test_sparse_files_are_refused_and_what_follows_them_is_found() -> None:
    old = header(b"old.jpg", b"00000000005\0", b"S")
    old[482] = 1  # its map goes on in a block of its own
    more = bytearray(512)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, headers in (
            ("new.jpg", {"GNU.sparse.major": "1", "GNU.sparse.name": "n.jpg"}),
            ("z.jpg", {}),
        ):
            info = tarfile.TarInfo(name)
            info.size, info.pax_headers = 5, headers
            archive.addfile(info, io.BytesIO(b"12345"))
    data = summed(old) + bytes(more) + b"12345".ljust(512, b"\0") + out.getvalue()
    assert [(entry.name, entry.way) for entry in walk_tar(data)] == [
        ("old.jpg", Way.SPARSE),
        ("n.jpg", Way.SPARSE),
        ("z.jpg", Way.PLAIN),
    ]


TAR = tar_of([("a" * 120 + ".jpg", b"1" * 700), ("b.jpg", b"2" * 10), ("c.jpg", b"")])


@settings(deadline=None)
@given(st.integers(1, len(TAR.rstrip(b"\0")) + 400))
def test_a_tar_cut_anywhere_gives_the_members_before_the_cut_and_says_so(length: int) -> None:
    found = []
    with pytest.raises(CutError, match="fetch it again"):
        for entry in tars.walk(io.BytesIO(TAR[:length]), "a.tar", length):
            found.append(entry)
    assert found == [entry for entry in walk_tar(TAR) if entry in found][: len(found)]
    assert all(entry.offset + entry.length <= length for entry in found)


@settings(deadline=None)
@given(CONTENTS, st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]), st.binary(max_size=40))
def test_a_zip_lists_as_zipfile_lists_it_whatever_lies_before_it(
    contents: list[tuple[str, bytes]], method: int, before: bytes
) -> None:
    data = before + zip_of(contents, method)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        wanted = [
            (one.filename, one.header_offset, one.compress_size, one.file_size, one.CRC)
            for one in archive.infolist()
        ]
    assert [tuple(entry[:5]) for entry in walk_zip(data)] == wanted


def test_zip64_sizes_and_offsets_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    contents = [(f"{number}.jpg", bytes([number]) * 50) for number in range(9)]
    narrow = walk_zip(zip_of(contents, zipfile.ZIP_STORED))
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 20)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 5)
    data = zip_of(contents, zipfile.ZIP_STORED)
    assert data.count(b"PK\6\6") == data.count(b"PK\6\7") == 1
    wide = walk_zip(data)
    assert [(one.name, one.size, one.crc) for one in wide] == [
        (one.name, one.size, one.crc) for one in narrow
    ]
    for entry in wide:
        local = zips.read_local(data[entry.offset :])
        assert local.facts == (entry.size, entry.length, entry.crc)
        assert data[entry.offset + local.header :][: entry.length] == bytes([int(entry.name[0])]) * 50  # type: ignore[index]
    before = b"#!/bin/sh\n" + data
    assert [one.offset - 10 for one in walk_zip(before)] == [one.offset for one in wide]


def raw_named(raw: bytes, flags: int, extra: bytes = b"") -> bytes:
    """A zip of one empty member with exactly this name field."""
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, flags, 0, 0, 0, 0, 0, 0, len(raw), 0) + raw
    central = struct.pack(
        "<4s6H3L5H2L", b"PK\1\2", 20, 20, flags, 0, 0, 0, 0, 0, 0, len(raw), len(extra), 0, 0, 0, 0, 0
    )
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(central + raw + extra), len(local), 0)
    return local + central + raw + extra + end


def test_names_in_a_zip_are_utf8_by_flag_by_looks_or_else_code_page_437() -> None:
    assert walk_zip(raw_named("图é.jpg".encode(), 0x800))[0].name == "图é.jpg"
    assert walk_zip(raw_named("图é.jpg".encode(), 0))[0].name == "图é.jpg"
    assert walk_zip(raw_named("é.jpg".encode("cp437"), 0))[0].name == "é.jpg"
    raw = b"\x82.jpg"
    field = b"\1" + zlib.crc32(raw).to_bytes(4, "little") + "图.jpg".encode()
    extra = struct.pack("<2H", 0x7075, len(field)) + field
    assert walk_zip(raw_named(raw, 0, extra))[0].name == "图.jpg"
    stale = extra.replace(field[:5], b"\1abcd")
    assert walk_zip(raw_named(raw, 0, stale))[0].name == "é.jpg"


CHINESE = st.text(
    st.characters(codec="gb2312", min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=1, max_size=12
)
ACCENTED = bytes(range(0x80, 0xA6)).decode("cp437")


def named(name: str, encoding: str, flags: int = 0, extra: bytes = b"") -> str | None:
    """What a name is read as that was packed in an encoding."""
    return walk_zip(raw_named(name.encode(encoding), flags, extra))[0].name


@given(CHINESE, st.text("abc123_- ", max_size=8))
def test_a_name_that_a_chinese_machine_packed_is_read_as_it_was_typed(name: str, rest: str) -> None:
    with contextlib.suppress(UnicodeDecodeError):
        name.encode("gb18030").decode()  # one in thousands is good UTF-8 as well
        return
    assert named(f"{rest}{name}{rest}.jpg", "gb18030") == f"{rest}{name}{rest}.jpg"


def test_names_in_gb18030_may_have_rare_characters_and_may_look_like_utf8() -> None:
    for name in ("图片/朱镕基.jpg", "資料/图001.png", "图\U00020000.jpg", "图片/1.jpg", "图.jpg"):
        assert named(name, "gb18030") == name
    assert "图片".encode("gb18030").decode() == "\u037c\u01ac"


def test_the_flag_comes_first_and_then_the_unicode_path_field() -> None:
    field = b"\1" + zlib.crc32("图片".encode("gb18030")).to_bytes(4, "little") + b"field.jpg"
    extra = struct.pack("<2H", 0x7075, len(field)) + field
    assert named("图片", "gb18030", 0, extra) == "field.jpg"
    assert named("图片", "gb18030", 0x800, extra) == "\u037c\u01ac"
    assert named("图片!", "gb18030", 0, extra) == "图片!"


@pytest.mark.parametrize(
    "name",
    [
        "Müller",
        "Франция",
        "Ελλάδα",
        "Franc\u0327ais",
        "București",
        "ירושלים",
        "مرحبا",
        "한국",
        "日本",
        "Łódź",
        "𠀀",
    ],
)
def test_names_of_other_languages_in_utf8_stay_what_they_are(name: str) -> None:
    assert named(f"{name}/{name}.jpg", "utf-8") == f"{name}/{name}.jpg"


@given(st.text(f"abcxyz_-. {ACCENTED}", min_size=1, max_size=20).filter(lambda name: not name.isascii()))
def test_accented_names_of_western_machines_are_not_taken_for_chinese(name: str) -> None:
    with contextlib.suppress(UnicodeDecodeError):
        name.encode("cp437").decode()
        return
    assert named(name, "cp437") == name


def test_encrypted_members_other_methods_and_links_in_a_zip_are_refused() -> None:
    link = zipfile.ZipInfo("link.jpg")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("folder/", b"")
        archive.writestr("lzma.jpg", b"1", zipfile.ZIP_LZMA)
        archive.writestr(link, b"/etc/passwd")
        archive.writestr("secret.jpg", b"1")
    data = out.getvalue()
    at = data.rindex(b"secret.jpg") - 46 + 8
    assert [(one.name, one.way) for one in walk_zip(patched(data, at, b"\1\0"))] == [
        ("lzma.jpg", Way.METHOD),
        ("link.jpg", Way.LINK),
        ("secret.jpg", Way.ENCRYPTED),
    ]


def test_members_of_a_zip_that_share_bytes_are_a_bomb() -> None:
    data = zip_of([("a.jpg", b"1" * 90), ("b.jpg", b"2" * 90)], zipfile.ZIP_STORED)
    second = data.rindex(b"b.jpg") - 46 + 42
    for offset in (0, 20):
        with pytest.raises(SourceError, match="share bytes"):
            walk_zip(patched(data, second, struct.pack("<L", offset)))
    with pytest.raises(SourceError, match="reaches into its directory"):
        walk_zip(patched(data, second, struct.pack("<L", 200)))


ZIP = zip_of([("a.jpg", b"1" * 90), ("b/c.jpg", b"2" * 90)])


@given(st.integers(0, len(ZIP) - 1))
def test_a_cut_zip_is_refused_as_a_whole(length: int) -> None:
    with pytest.raises(SourceError, match="fetch it again"):
        walk_zip(ZIP[:length])


def test_a_disk_of_a_zip_of_many_is_refused_with_advice() -> None:
    with pytest.raises(SourceError, match=r"join them with `zip -s 0 a\.zip"):
        walk_zip(patched(ZIP, ZIP.rindex(b"PK\5\6") + 4, b"\1\0"))


def test_a_directory_with_another_number_of_members_is_damaged() -> None:
    with pytest.raises(SourceError, match="has 2 members and not 3"):
        walk_zip(patched(ZIP, ZIP.rindex(b"PK\5\6") + 10, b"\3\0"))
    with pytest.raises(SourceError, match="no record"):
        walk_zip(patched(ZIP, directory_of(ZIP), b"PK\1\3"))


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_a_compressed_tar_gives_the_members_of_the_tar_in_it(tmp_path: Path, kind: str) -> None:
    contents = [(f"{number}/图.jpg", bytes([number]) * (number * 999)) for number in range(30)]
    path = tmp_path / f"a.tar.{kind}"
    path.write_bytes(COMPRESSORS[kind](tar_of(contents)))
    walked = list(walk_compressed(str(path), 20_000))
    assert [(entry.name, data) for entry, data in walked[:21]] == contents[:21]
    assert {entry.way for entry, _ in walked[:21]} == {Way.PLAIN}
    assert [(entry.way, data) for entry, data in walked[21:]] == [(Way.TOO_LARGE, b"")] * 9


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_streams_put_one_behind_the_other_are_one_tar(tmp_path: Path, kind: str) -> None:
    tar = tar_of([("a.jpg", b"1" * 5000), ("b.jpg", b"2")])
    path = tmp_path / "a"
    path.write_bytes(COMPRESSORS[kind](tar[:3000]) + COMPRESSORS[kind](tar[3000:]))
    assert [data for _, data in walk_compressed(str(path), 9999)] == [b"1" * 5000, b"2"]


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_a_compressed_tar_cut_anywhere_says_so(tmp_path: Path, kind: str) -> None:
    whole = COMPRESSORS[kind](tar_of([(f"{n}.jpg", bytes(range(256)) * 4) for n in range(9)]))
    for length in range(8, len(whole), 7):
        (tmp_path / "a").write_bytes(whole[:length])
        with pytest.raises(CutError, match="cut or damaged"):
            list(walk_compressed(str(tmp_path / "a"), 9999))


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_a_changed_byte_of_a_compressed_tar_is_noticed_or_changes_nothing(tmp_path: Path, kind: str) -> None:
    contents = [(f"{n}.jpg", bytes(range(256)) * 4) for n in range(9)]
    whole = COMPRESSORS[kind](tar_of(contents))
    noticed = 0
    for at in range(20, len(whole), 5):
        (tmp_path / "a").write_bytes(patched(whole, at, bytes([whole[at] ^ 16])))
        try:
            walked = list(walk_compressed(str(tmp_path / "a"), 9999))
            assert [(entry.name, data) for entry, data in walked] == contents
        except CutError:
            noticed += 1
    assert noticed > len(range(20, len(whole), 5)) / 2


def test_a_compressed_tar_that_grows_beyond_measure_is_a_bomb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compressed, "SLACK", 0)
    (tmp_path / "a").write_bytes(COMPRESSORS["gz"](tar_of([("a.jpg", bytes(5 << 20)), ("b.jpg", b"1")])))
    with pytest.raises(SourceError, match="as a bomb does"):
        list(walk_compressed(str(tmp_path / "a"), 100))


def test_an_xz_stream_that_wants_gigabytes_to_be_read_is_refused(tmp_path: Path) -> None:
    data = bytearray(lzma.compress(tar_of([("a.jpg", b"1")])))
    size = (data[12] + 1) * 4
    at = data.index(b"\x21\x01", 12) + 2
    data[at] = 40  # a dictionary of 4 GiB
    data[12 + size - 4 : 12 + size] = zlib.crc32(bytes(data[12 : 12 + size - 4])).to_bytes(4, "little")
    (tmp_path / "a").write_bytes(bytes(data))
    with pytest.raises(CutError, match="Memory usage limit"):
        list(walk_compressed(str(tmp_path / "a"), 9999))


def cells(tmp_path: Path, data: bytes, name: str = "image_id", cell: str = "image", limit: int = 99) -> list:
    (tmp_path / "a.parquet").write_bytes(data)
    place = Place("", names="column", name_column=name, bytes_column=cell)
    return [
        (entry.name, entry.way, found)
        for entry, found in walk_cells(str(tmp_path / "a.parquet"), place, limit)
    ]


def written(columns: dict[str, pa.Array]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def test_media_in_parquet_cells_are_bytes_base64_or_structs(tmp_path: Path) -> None:
    contents = [(f"{n}.jpg", bytes([n]) * n) for n in range(98)]
    wanted = [(name, Way.PLAIN, data) for name, data in contents]
    assert cells(tmp_path, parquet_of(contents, row_group_size=7)) == wanted
    plain = {"image_id": pa.array([n for n, _ in contents])}
    assert cells(tmp_path, written(plain | {"image": pa.array([d for _, d in contents])})) == wanted
    text = pa.array([base64.b64encode(data).decode() for _, data in contents])
    assert cells(tmp_path, written(plain | {"image": text})) == wanted
    inner = pa.array([{"bytes": data, "path": name} for name, data in contents])
    assert cells(tmp_path, written({"image": inner}), "image.path") == wanted
    assert cells(tmp_path, written({"a.b": plain["image_id"], "image": text}), "a.b") == wanted


def test_rows_without_bytes_or_with_too_many_are_refused(tmp_path: Path) -> None:
    table = {
        "image_id": pa.array([1, 2, 3, None]),
        "image": pa.array([None, "no base64!", base64.b64encode(bytes(100)).decode(), "MTI="]),
    }
    assert cells(tmp_path, written(table)) == [
        ("1", Way.NO_BYTES, b""),
        ("2", Way.NO_BYTES, b""),
        ("3", Way.TOO_LARGE, b""),
        ("", Way.PLAIN, b"12"),
    ]


def test_a_parquet_file_without_the_columns_or_without_its_end_is_said_so(tmp_path: Path) -> None:
    data = parquet_of([("a.jpg", b"1" * 90)], compression="none")
    with pytest.raises(SourceError, match="no column 'picture' but image_id, image"):
        cells(tmp_path, data, cell="picture")
    with pytest.raises(CutError, match="after 0 members"):
        cells(tmp_path, data[:-9])


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (TAR, "tar"),
        (bytes(10240), "tar"),
        (ZIP, "zip"),
        (zip_of([]), "zip"),
        (b"MZ program" + ZIP, "zip"),
        (parquet_of([("a", b"1")]), "parquet"),
        *((compress(TAR), "compressed tar") for compress in COMPRESSORS.values()),
    ],
)
def test_an_archive_is_known_by_its_bytes(tmp_path: Path, data: bytes, kind: str) -> None:
    (tmp_path / "archive").write_bytes(data)
    assert kind_of(str(tmp_path / "archive")) == kind


@pytest.mark.parametrize("data", [b"", b"<!DOCTYPE html>", b"\x28\xb5\x2f\xfe zstd", b"\0" * 511])
def test_what_is_no_archive_is_said_to_be_none(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "images.zip").write_bytes(data)
    with pytest.raises(SourceError, match=r"images\.zip is no zip, tar"):
        listed(MediaPlaces((Place("images.zip"),)), tmp_path, tmp_path / "catalog")
