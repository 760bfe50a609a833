"""What lies beside a stage's shards and is not the build's own: codec tokens, dear to make, are let be."""

from __future__ import annotations

from pathlib import Path

from tests.factories import picture_source, run_build, write_mixture
from vita_data import files
from vita_data.shards.prove import prove
from vita_data.shards.seal import FACTS


def test_codec_tokens_beside_a_stage_are_no_fault_and_outlive_its_builds(tmp_path: Path) -> None:
    picture_source(tmp_path, "asks", 16, side=40)
    mixture = write_mixture(tmp_path, {"asks": "all"}, holdout={"share": 0.05, "least": 2})
    stage = tmp_path / "out/stages/1.3"
    run_build(mixture, tmp_path / "out")
    made = {"00000.parquet": "codes", "eval/00000.parquet": "codes held out", "codec.json": "{}"}
    for name, text in made.items():
        files.write_bytes(f"{stage}/codec/0123456789abcdef/{name}", text.encode())
    assert prove(str(stage))["ok"]
    before = (stage / FACTS).stat().st_mtime_ns
    run_build(mixture, tmp_path / "out")
    assert (stage / FACTS).stat().st_mtime_ns == before, "the stage was taken for damaged"
    (stage / "index/00000.parquet").unlink()
    run_build(mixture, tmp_path / "out")
    picture_source(tmp_path, "asks", 18, side=40)
    run_build(mixture, tmp_path / "out")
    assert (stage / FACTS).stat().st_mtime_ns != before and prove(str(stage))["ok"]
    assert all((stage / "codec/0123456789abcdef" / name).read_text() == text for name, text in made.items())
