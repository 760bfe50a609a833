"""A full disk and a read-only one, both mounted: one sentence, and the same bytes once there is room."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelines.choice import RunnerChoice
from pipelines.settings import BuildSettings
from pipelines.supervise import supervised_build
from tests.factories import jpeg, record, run_build, shard_digests, write_mixture, write_source
from vita_data.errors import VitaError

Mount = Callable[..., None]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[tuple[Path, Mount]]:
    """A folder on a disk of its own in memory, and what changes its options."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(*options: str) -> None:
        subprocess.run(["mount", "-o", ",".join(("remount", *options)), str(folder)], check=True)

    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        pytest.skip(f"mounting needs root and is not permitted here: {made.stderr.strip()}")
    try:
        yield folder, mount
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _corpus(home: Path) -> Path:
    """Pictures of 3 MB in all; half of them are of a kind that the catalog stores itself."""
    told = []
    for n in range(40):
        kind = ("JPEG", "GIF")[n % 2]
        (home / "mine").mkdir(exist_ok=True)
        (home / "mine" / f"{n}.{kind}").write_bytes(jpeg(160, n, kind))
        told.append(record(n, "Q", f"A {n}", f"{n}.{kind}"))
    write_source(home, "mine", told)
    return write_mixture(home, {"mine": "all"})


def test_a_disk_that_fills_up_at_any_step_is_said_and_the_build_goes_on_with_more_room(
    tmp_path: Path, disk: tuple[Path, Mount]
) -> None:
    folder, mount = disk
    mixture = _corpus(tmp_path)
    run_build(mixture, tmp_path / "elsewhere")
    said = set()
    for kilobytes in (4, 8, 16, 32, 256, 1024, 1536, 2048, 3072, 4096, 5120, 6144, 8192):
        mount(f"size={kilobytes}k")
        try:
            facts = run_build(mixture, folder / "out")
            break
        except VitaError as error:
            assert "No space left on device" in str(error), error
            assert "run the same command again" in str(error)
            said.add(Path(str(error).split(" ")[0].rstrip(":")).relative_to(folder / "out").parts[:2])
    assert facts["sources"][0]["kept"] == 40
    assert {part[0] for part in said} >= {"catalog", "stages"}, said
    stage = folder / "out" / "stages" / "1.3"
    assert shard_digests(stage) == shard_digests(tmp_path / "elsewhere" / "stages" / "1.3")
    assert not list((folder / "out").rglob("*.tmp-*"))


@pytest.mark.slow
def test_a_full_disk_is_one_sentence_of_the_command_too(tmp_path: Path, disk: tuple[Path, Mount]) -> None:
    settings = BuildSettings(
        "1.3", str(_corpus(tmp_path)), str(disk[0] / "out"), runner=RunnerChoice(workers=2)
    )
    with pytest.raises(VitaError, match=r"No space left on device.*run the same command again") as error:
        supervised_build(settings, lambda message: None)
    assert error.value.status == 1 and "\n" not in str(error.value)


def test_a_read_only_output_is_said_before_anything_is_read(tmp_path: Path, disk: tuple[Path, Mount]) -> None:
    folder, mount = disk
    mixture = _corpus(tmp_path)
    mount("ro")
    with pytest.raises(VitaError, match=r"disk/out cannot be written \(Read-only file system\)"):
        run_build(mixture, folder / "out")


def test_a_finished_build_on_a_read_only_disk_is_found_finished(
    tmp_path: Path, disk: tuple[Path, Mount]
) -> None:
    folder, mount = disk
    mixture = _corpus(tmp_path)
    mount("size=20m")
    facts = run_build(mixture, folder / "out")
    mount("ro")
    assert run_build(mixture, folder / "out") == facts
    with pytest.raises(VitaError, match="Read-only file system"):
        run_build(mixture, folder / "out", pure_text=False)


def test_a_corpus_on_a_read_only_disk_is_read(tmp_path: Path, disk: tuple[Path, Mount]) -> None:
    folder, mount = disk
    mount("size=20m")
    mixture = _corpus(folder)
    mount("ro")
    assert run_build(mixture, tmp_path / "out")["sources"][0]["kept"] == 40
