"""The laptop's geometry and the paper's: the build counts exactly what the model encodes, and packs hold it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.factories import record, run_build, write_mixture, write_source
from vita_data.manifest.geometry import Geometry
from vita_data.prompt.tokenizer import load_tokenizer
from vita_data.shards.prove import prove
from vita_data.shards.read import Stage
from vita_model.batch.encode import Encoder

PHOTO = (640, 480)  # 4 x 3 tiles and a thumbnail at 448 px: 3,328 tokens
SIZES = [PHOTO, (448, 448), (896, 448), (500, 60), (120, 90)]


def picture(path: Path, size: tuple[int, int], shade: int) -> None:
    """A picture of one colour, small on disk whatever its size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stream = io.BytesIO()
    Image.new("RGB", size, (shade, 90, 160)).save(stream, "JPEG")
    path.write_bytes(stream.getvalue())


def corpus(home: Path) -> None:
    """Pictures of many shapes, one sample of two photographs, Chinese, several turns, and text alone."""
    for number in range(20):
        picture(home / "asks" / f"{number}.jpg", SIZES[number % len(SIZES)], 10 * number)
    told: list[dict[str, Any]] = [
        record(n, f"这张图片 {n} 里有什么?", f"A colour, number {n}.", f"{n}.jpg") for n in range(20)
    ]
    told.append(record("two", "Compare these.", "One is lighter.", "0.jpg", "5.jpg"))
    told.append(record("text", "What is 2 + 2?", "4. " * 50))
    told[3]["conversations"] += [{"from": "human", "value": "And?"}, {"from": "gpt", "value": "Nothing."}]
    write_source(home, "asks", told)


@pytest.mark.parametrize("paper", [True, False], ids=["paper", "laptop"])
def test_the_model_encodes_as_many_tokens_as_the_build_counted(tmp_path: Path, paper: bool) -> None:
    corpus(tmp_path)
    mixture = write_mixture(tmp_path, {"asks": "all"}, holdout={"share": 0, "least": 0})
    if paper:  # what a mixture has when it names no geometry
        facts = mixture.read_text(encoding="utf-8")
        mixture.write_text(facts[: facts.index(', "geometry"')] + "}", encoding="utf-8")
    run_build(mixture, tmp_path / "out")
    stage = Stage(tmp_path / "out/stages/1.3")
    geometry = Geometry(**stage.plan["geometry"])
    assert (geometry == Geometry()) is paper and prove(stage.folder)["ok"]
    encoder = Encoder(load_tokenizer(geometry.tokenizer), geometry)
    table = stage.shard(0).table.to_pylist()
    assert len(table) == 22
    for row, facts in enumerate(table):
        encoded = encoder.encode(stage.sample(0, row))
        assert len(encoded.ids) == facts["length"] == facts["text_tokens"] + facts["visual_tokens"]
        assert len(encoded.tile_places) == facts["visual_tokens"]
        assert encoded.tiles.shape[1:] == (3, geometry.tile_pixels, geometry.tile_pixels)
    assert all(pack.tokens <= geometry.max_length for pack in stage.packs())


def test_two_photographs_get_fewer_tiles_so_that_they_fit_the_papers_sequence(tmp_path: Path) -> None:
    corpus(tmp_path)
    mixture = write_mixture(tmp_path, {"asks": "all"}, holdout={"share": 0, "least": 0})
    text = json.dumps({**json.loads(mixture.read_text().partition(', "geometry"')[0] + "}")})
    mixture.write_text(text)
    run_build(mixture, tmp_path / "out")
    rows = Stage(tmp_path / "out/stages/1.3").shard(0).table.to_pylist()
    tiles = sorted([grid["cols"] * grid["rows"] for grid in row["grids"]] for row in rows)
    assert tiles.count([12]) == 8 and [12, 12] not in tiles
    (two,) = [row for row in rows if len(row["grids"]) == 2]
    assert two["length"] <= 6200 < 2 * 13 * 256
