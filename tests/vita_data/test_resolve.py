"""A name in an annotation leads to a file below the source's folder, or to a reject that says why not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vita_data.errors import RecordError
from vita_data.media.open import MediaFinder
from vita_data.media.resolve import relative_name, resolve, state_of

LIMIT = 1000


def read_medium(root: str, name: str, limit: int) -> bytes:
    return MediaFinder(root).open(name, "image", limit).read()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A source's folder with one file, beside a file that is none of its business."""
    (tmp_path / "root" / "sub").mkdir(parents=True)
    (tmp_path / "root" / "sub" / "a b ü.jpg").write_bytes(b"inside")
    (tmp_path / "secret.jpg").write_bytes(b"outside")
    return tmp_path / "root"


def _rule(root: Path, name: str) -> str:
    with pytest.raises(RecordError) as error:
        read_medium(str(root), name, LIMIT)
    return error.value.rule


@pytest.mark.parametrize(
    "name",
    [
        "sub/a b ü.jpg",
        "./sub//a b ü.jpg",
        "sub\\a b ü.jpg",
        "other/../sub/a b ü.jpg",
        "sub/../sub/./a b ü.jpg",
    ],
)
def test_a_name_below_the_root_is_read_however_it_is_spelt(root: Path, name: str) -> None:
    assert read_medium(str(root), name, LIMIT) == b"inside"
    assert relative_name(name) == "sub/a b ü.jpg"


@pytest.mark.parametrize(
    "name",
    [
        "../secret.jpg",
        "sub/../../secret.jpg",
        "..",
        "..\\secret.jpg",
        "/etc/hostname",
        "//etc/hostname",
        "\\etc\\hostname",
        "http://example.org/a.jpg",
        "file:///etc/hostname",
        "sub/a.jpg\0.png",
    ],
)
def test_a_name_that_leads_out_of_the_root_is_refused(root: Path, name: str) -> None:
    assert _rule(root, name) == "path_outside_root"


def test_links_are_followed_as_far_as_the_root_reaches(root: Path) -> None:
    (root / "inner.jpg").symlink_to(root / "sub" / "a b ü.jpg")
    (root / "outer.jpg").symlink_to(root.parent / "secret.jpg")
    (root / "folder").symlink_to(root.parent)
    (root / "loop.jpg").symlink_to(root / "loop.jpg")
    (root / "nowhere.jpg").symlink_to(root / "gone.jpg")
    assert read_medium(str(root), "inner.jpg", LIMIT) == b"inside"
    assert _rule(root, "outer.jpg") == "path_outside_root"
    assert _rule(root, "folder/secret.jpg") == "path_outside_root"
    assert _rule(root, "loop.jpg") == "media_unreadable"
    assert _rule(root, "nowhere.jpg") == "media_missing"


def test_a_root_that_is_a_link_itself_is_the_root(root: Path) -> None:
    (root.parent / "link").symlink_to(root)
    assert read_medium(str(root.parent / "link"), "sub/a b ü.jpg", LIMIT) == b"inside"


def test_a_neighbour_whose_name_begins_like_the_root_is_outside(root: Path) -> None:
    (root.parent / "root2").mkdir()
    (root.parent / "root2" / "a.jpg").touch()
    (root / "out").symlink_to(root.parent / "root2")
    assert _rule(root, "out/a.jpg") == "path_outside_root"


@pytest.mark.parametrize(
    "name", ["gone.jpg", "gone/a.jpg", "sub/a b ü.jpg/b.jpg", "sub/a b ü.jp", "newline\n.jpg"]
)
def test_what_is_not_there_is_missing(root: Path, name: str) -> None:
    assert _rule(root, name) == "media_missing"


def test_a_folder_a_pipe_and_a_device_are_no_pictures_and_keep_nobody_waiting(root: Path) -> None:
    os.mkfifo(root / "pipe.jpg")
    (root / "null.jpg").symlink_to("/dev/null")
    assert _rule(root, "pipe.jpg") == "media_unreadable"
    assert _rule(root, "sub") == "media_unreadable"
    assert _rule(root, ".") == "media_unreadable"
    assert _rule(root, "null.jpg") == "path_outside_root"
    assert _rule(Path("/dev"), "null") == "media_unreadable"


@pytest.mark.parametrize("name", ["a" * 300 + ".jpg", "/".join(["a" * 200] * 30), "图" * 100])
def test_a_name_that_no_file_can_have_is_a_reject(root: Path, name: str) -> None:
    assert _rule(root, name) == "media_unreadable"


@pytest.mark.parametrize("name", ["\ud800.jpg", "\udc80.jpg"])
def test_half_a_surrogate_pair_in_a_name_is_a_reject(root: Path, name: str) -> None:
    (root / os.fsdecode(b"\x80.jpg")).touch()
    assert _rule(root, name) == "not_utf8"


def test_a_file_above_the_limit_is_refused_before_it_is_read(root: Path) -> None:
    with open(root / "large.jpg", "wb") as stream:
        stream.truncate(1 << 40)
    assert _rule(root, "large.jpg") == "media_too_large"


def test_no_reject_names_the_folder_of_this_machine(root: Path) -> None:
    (root / "out.jpg").symlink_to(root.parent / "secret.jpg")
    for name in ("../x", "out.jpg", "gone.jpg", "sub", "a" * 300):
        with pytest.raises(RecordError) as error:
            read_medium(str(root), name, LIMIT)
        assert str(root) not in f"{error.value} {error.value.value} {error.value.threshold}"


def test_the_state_of_a_medium_tells_one_file_from_another_and_from_none(root: Path) -> None:
    (root / "out.jpg").symlink_to(root.parent / "secret.jpg")
    for name in ("gone.jpg", "sub", "out.jpg", "../secret.jpg", "\ud800"):
        assert state_of(str(root), name) == "no file"
    before = state_of(str(root), "sub/a b ü.jpg")
    assert before == state_of(str(root), "sub/a b ü.jpg") != "no file"
    (root / "sub" / "a b ü.jpg").write_bytes(b"mended")
    assert state_of(str(root), "sub/a b ü.jpg") != before


NAME = st.lists(st.sampled_from(["..", ".", "sub", "out", "a", "", "\\", "/", "~", "é"]), max_size=8).map(
    "/".join
)


@given(NAME)
def test_no_spelling_of_a_name_leads_out(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    root = tmp_path_factory.getbasetemp() / "escape"
    (root / "sub").mkdir(parents=True, exist_ok=True)
    if not (root / "out").is_symlink():
        (root / "out").symlink_to("/")
    try:
        path = resolve(str(root), name)
    except RecordError as error:
        assert error.rule == "path_outside_root"
    else:
        assert os.path.realpath(path).startswith(os.path.realpath(root))
