from __future__ import annotations

import ast
import io
import os
from pathlib import Path

import pyarrow as pa
import pytest
from PIL import Image

from vita_data import files
from vita_data.records.schema import REJECTS
from vita_data.report.examples import find_examples
from vita_data.report.rules import REASONS, reason_of
from vita_data.report.thumbnails import Album

ROOT = Path(__file__).parents[3]


def bomb() -> bytes:
    """A picture of few bytes and very many pixels."""
    stream = io.BytesIO()
    Image.new("1", (12_000, 12_000)).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture(scope="module")
def root(tmp_path_factory, picture):
    """A source's folder with a good picture and several that cannot be shown."""
    folder = tmp_path_factory.mktemp("root") / "birds"
    folder.mkdir()
    (folder / "there.png").write_bytes(picture((400, 300)))
    (folder / "cut.png").write_bytes(picture((400, 300), seed=1)[:900])
    (folder / "bomb.png").write_bytes(bomb())
    (folder.parent / "secret.png").write_bytes(picture((400, 300)))
    (folder / "link.png").symlink_to(folder.parent / "secret.png")
    os.mkfifo(folder / "pipe.png")
    return str(folder)


def test_a_picture_of_a_reject_is_shown_small(root, parse):
    (image,) = parse(Album(96, 100_000).file(root, "there.png", "there")).all("img")
    assert (image["width"], image["height"], image["alt"]) == ("96", "72", "there")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cut.png", "Cut off"),
        ("bomb.png", "Too many pixels"),
        ("link.png", "Outside the source's folder"),
        ("../secret.png", "Outside the source's folder"),
        ("/etc/hostname", "Outside the source's folder"),
        ("pipe.png", "File not readable"),
        ("lost.png", "File missing"),
        ("nul\0.png", "Outside the source's folder"),
        ("x" * 5000, "File not readable"),
    ],
)
def test_a_picture_that_cannot_be_opened_safely_is_replaced_by_its_reason(root, parse, name, words):
    shown = Album(96, 100_000).file(root, name, "alt")
    assert parse(shown).text == words
    assert "<img" not in shown


def test_a_picture_of_a_source_without_a_known_folder_is_replaced_by_its_reason(parse):
    assert parse(Album(96, 100_000).file(None, "there.png", "alt")).text == "The source's folder is not known"


def test_a_picture_that_is_no_file_is_missing_only_where_that_is_the_reason(
    stage, sample, reject, parse, tmp_path
):
    rows = [
        reject("birds", 1, "media/image_empty", media=["row 3"]),
        reject("birds", 2, "media/media_missing", media=["lost.png"]),
    ]
    made = stage(tmp_path / "stage", [[sample("birds", 1, [])]], ["birds"], rows)
    assert parse(made.page()).text.count("Embedded, or gone since") == 1


def test_rejects_say_rule_reason_place_and_measure(stage, sample, reject, parse, tmp_path):
    row = reject("birds", 12, "measure/too_long", value="4000", threshold="2048")
    words = parse(stage(tmp_path / "stage", [[sample("birds", 1, [])]], ["birds"], [row]).page()).text
    assert reason_of("too_long").why in words
    assert "it broke too_long." in words
    assert "data.json:12" in words
    assert "4,000 against 2,048" in words
    assert row["key"] in words


def test_examples_take_turns_among_the_sources_and_stop_at_their_number(reject, tmp_path):
    rejected = {}
    for source, number in {"birds": 50, "maps": 2, "texts": 1}.items():
        rows = [reject(source, n, "media/media_missing") for n in range(number)]
        path = str(tmp_path / "rejects" / f"{source}.parquet")
        files.write_table(path, pa.Table.from_pylist(rows, REJECTS))
        rejected[source] = {"media/media_missing": number}
    found = find_examples(str(tmp_path), rejected, 4)["media/media_missing"]
    assert [example.source for example in found] == ["birds", "maps", "texts", "birds"]
    assert [example.position for example in found] == [0, 0, 0, 1]


def test_a_rare_rule_far_down_a_rejects_table_is_found(reject, tmp_path):
    rows = [reject("birds", n, "media/media_missing") for n in range(20_000)]
    rows.append(reject("birds", 20_000, "read/not_json"))
    files.write_table(str(tmp_path / "rejects" / "birds.parquet"), pa.Table.from_pylist(rows, REJECTS))
    found = find_examples(str(tmp_path), {"birds": {"media/media_missing": 20_000, "read/not_json": 1}}, 2)
    assert [example.position for example in found["read/not_json"]] == [20_000]
    assert [example.position for example in found["media/media_missing"]] == [0, 1]


def test_every_rule_that_the_code_can_break_is_explained():
    named = set()
    for package in ("vita_data", "pipelines"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                    first = node.args[0]
                    if node.func.id in ("RecordError", "Reject") and isinstance(first, ast.Constant):
                        named.add(first.value)
    assert "not_json" in named
    assert named <= set(REASONS), "explain these in vita_data/report/rules.py"


def test_a_rule_of_somebody_elses_is_shown_by_its_name():
    assert reason_of("structure/too_many_cats") == ("Too many cats", "")
