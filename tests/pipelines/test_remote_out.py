"""An output folder given by URL: whatever an earlier build left there, what is built is what the sources hold.

`local://` is fsspec's own name for the disk: to the build it is a remote file system like any other.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.factories import jpeg, record, run_build, shard_digests, write_lines, write_mixture, write_source
from vita_data import files
from vita_data.shards.prove import prove


def _cmyk(seed: int) -> bytes:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(jpeg(seed=seed))).convert("CMYK").save(buffer, "JPEG")
    return buffer.getvalue()


def _corpus(home: Path, samples: int) -> Path:
    """Pictures that must be converted, in more than one of the catalog's tars at once."""
    write_source(home, "mine", [])
    for number in range(samples):
        (home / "mine" / f"{number}.jpg").write_bytes(_cmyk(number))
    write_lines(home / "mine", [record(n, "What is it?", f"Noise {n}.", f"{n}.jpg") for n in range(samples)])
    return write_mixture(home, {"mine": "all"})


def _samples(facts: dict[str, Any]) -> int:
    return int(facts["totals"]["samples"])


def test_a_build_by_url_is_the_build_by_path_and_sees_what_was_added(tmp_path: Path) -> None:
    url = f"local://{tmp_path}/remote"
    for samples in (30, 33):
        facts = run_build(_corpus(tmp_path, samples), url)
        assert prove(f"{url}/stages/1.3")["errors"] == []
        run_build(tmp_path / "test.yaml", tmp_path / f"local{samples}")
        assert shard_digests(tmp_path / "remote/stages/1.3") == shard_digests(
            tmp_path / f"local{samples}/stages/1.3"
        )
        assert _samples(facts) == samples - samples // 10
    assert not [path for path in (tmp_path / "remote").rglob("*") if "tmp" in path.name]


def test_a_remote_file_whose_writing_failed_is_not_there_and_others_are(tmp_path: Path) -> None:
    url = f"local://{tmp_path}"
    with pytest.raises(KeyError), files.atomic_write(f"{url}/one") as one:
        one.write(b"half")
        with files.atomic_write(f"{url}/two") as two:
            two.write(b"whole")
        raise KeyError
    assert [path.name for path in tmp_path.iterdir()] == ["two"]


@pytest.mark.parametrize(
    ("given", "plain"),
    [("file:///a/b", "/a/b"), ("file://localhost/a", "/a"), ("/a", "/a"), ("gs://a/b", "gs://a/b")],
)
def test_a_file_url_is_a_plain_path(given: str, plain: str) -> None:
    assert files.plain_path(given) == plain
