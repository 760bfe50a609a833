"""The sample corpus against its own answer key, read here by code that shares nothing with its maker."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageOps, ImageStat

from vita_data.errors import SourceError, UsageError
from vita_data.manifest.find import load_source
from vita_data.sample.crops import cut
from vita_data.sample.fonts import find_chinese
from vita_data.sample.ledger import SampleFacts
from vita_data.sample.make import KEY, make_sample, read_sample
from vita_data.sample.photographs import CC0, PHOTOGRAPHS, Photograph, open_photograph
from vita_data.sample.voices import find_engine

CHINESE_SOURCES = {"sample-pages-zh", "sample-tables-zh"}
SPOKEN_SOURCES = {
    "sample-speech-en", "sample-speech-zh", "sample-long-speech-zh", "sample-common-voice", "sample-speech-shards",
    "sample-tts-en", "sample-tts-zh", "sample-negative-audio",
}  # fmt: skip
LEAST = {
    "sample-photos": 500, "sample-photo-qa": 500, "sample-charts": 400, "sample-receipts": 250,
    "sample-pages-zh": 200, "sample-tables-zh": 150, "sample-text": 500, "sample-films": 50, "sample-film-qa": 60,
    "sample-speech-en": 60, "sample-speech-zh": 45, "sample-long-speech-zh": 50, "sample-common-voice": 50,
    "sample-speech-shards": 45, "sample-tts-en": 60, "sample-tts-zh": 45, "sample-negative-audio": 35,
}  # fmt: skip
RULES = {
    "media_missing", "image_truncated", "image_undecodable", "image_empty", "image_unknown_format",
    "image_too_many_pixels", "path_outside_root", "unknown_role", "roles_alternate", "empty_answer",
    "placeholders_match", "not_json", "not_utf8", "not_a_record",
}  # fmt: skip
BLANK: dict[str, Any] = {}  # stands for a blank line


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SampleFacts]:
    folder = tmp_path_factory.mktemp("sample") / "corpus"
    return folder, make_sample(folder, lambda line: None)


def tree(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if not path.is_dir()]
    links = {path: os.readlink(path) for path in files if path.is_symlink()}
    digests = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    return {path.relative_to(folder).as_posix(): links.get(path, digests[path]) for path in files}


def lines_of(path: Path) -> Iterator[Any]:
    for line in path.read_bytes().splitlines():
        try:
            yield json.loads(line.decode("utf-8")) if line.strip() else BLANK
        except ValueError:
            yield None


def records(root: Path) -> dict[str, list[Any]]:
    """The records of each annotation file of a source, in order; None for what cannot be parsed."""
    found: dict[str, list[Any]] = {}
    found |= {path.name: list(lines_of(path)) for path in root.glob("*.jsonl")}
    for path in [*root.glob("captions.json"), *root.glob("tables.json")]:
        found[path.name] = json.loads(path.read_text(encoding="utf-8"))
    if (root / "labels.json").exists():
        labels = json.loads((root / "labels.json").read_text(encoding="utf-8")).items()
        found["labels.json"] = [{"id": n, "image": f"images/{n}.jpg", "texts": texts} for n, texts in labels]
    if (root / "data.json").exists():
        items = json.loads((root / "data.json").read_text(encoding="utf-8"))["data_list"]
        names = [(item["img_name"], item["annotations"]) for item in items]
        found["data.json"] = [{"id": n, "image": f"imgs/{n}", "texts": texts} for n, texts in names]
    for path in sorted(root.glob("default/*.parquet")):
        found[path.relative_to(root).as_posix()] = pq.read_table(path).to_pylist()
    return found


def seen_sources(facts: SampleFacts) -> list[str]:
    """The sources of pictures and text; tests of their own read those of films and sounds."""
    return [name for name in facts.sources if not re.search("film|speech|voice|tts|negative", name)]


def good(root: Path, facts: SampleFacts) -> Iterator[tuple[str, int, Any]]:
    refused = {(plant["annotation"], plant["position"]) for plant in facts.sources[root.name].rejects}
    for annotation, listed in records(root).items():
        for position, record in enumerate(listed):
            if record is not BLANK and (annotation, position) not in refused:
                yield annotation, position, record


def turns(record: dict[str, Any]) -> list[str]:
    told = record.get("conversations") or record.get("messages") or []
    return [turn.get("value", turn.get("content")) for turn in told]


def pictures(root: Path, record: dict[str, Any]) -> list[bytes]:
    image = record.get("image")
    if image is None:
        return []
    if isinstance(image, dict):
        return [image["bytes"]]
    return [(root / name).read_bytes() for name in ([image] if isinstance(image, str) else image)]


def opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


@pytest.mark.slow
def test_another_process_with_another_hash_seed_writes_the_same_bytes(
    sample: tuple[Path, SampleFacts], tmp_path: Path
) -> None:
    code = "import sys, pathlib; from vita_data.sample.make import make_sample; "
    code += "make_sample(pathlib.Path(sys.argv[1]), print)"
    again = tmp_path / "deeper" / "again"
    environment = os.environ | {"PYTHONHASHSEED": "12345", "TZ": "Asia/Tokyo"}
    subprocess.run([sys.executable, "-c", code, str(again)], check=True, env=environment)
    assert tree(again) == tree(sample[0])


@pytest.mark.slow
def test_without_a_speech_engine_the_spoken_sources_are_left_out_aloud(tmp_path: Path) -> None:
    said: list[str] = []
    facts = make_sample(tmp_path / "corpus", said.append, fonts=[tmp_path], programs=str(tmp_path))
    assert facts.speech is None
    assert set(facts.sources) == set(LEAST) - CHINESE_SOURCES - SPOKEN_SOURCES
    assert any("apt-get install espeak-ng" in line and "eight spoken sources" in line for line in said)


@pytest.mark.slow
def test_without_a_chinese_font_the_chinese_part_is_left_out_aloud(
    sample: tuple[Path, SampleFacts], tmp_path: Path
) -> None:
    said: list[str] = []
    facts = make_sample(tmp_path / "corpus", said.append, fonts=[tmp_path])
    assert not facts.chinese
    assert json.loads((tmp_path / "corpus" / KEY).read_text())["chinese"] is False
    assert set(facts.sources) == set(LEAST) - CHINESE_SOURCES - (set() if facts.speech else SPOKEN_SOURCES)
    assert any("fonts-wqy-zenhei" in line and "sample-pages-zh" in line for line in said)
    assert facts.totals()["samples"] >= 2000
    assert facts.totals()["kinds"] >= 24
    whole = {name: digest for name, digest in tree(sample[0]).items() if name != KEY}
    rest = {name: digest for name, digest in tree(tmp_path / "corpus").items() if name != KEY}
    assert rest.items() <= whole.items()
    assert all(name.split("/")[0] in CHINESE_SOURCES for name in whole.keys() - rest.keys())


def test_every_source_holds_as_many_good_samples_as_promised(sample: tuple[Path, SampleFacts]) -> None:
    _, facts = sample
    assert facts.chinese == (find_chinese() is not None)
    assert (facts.speech is not None) == (find_engine() is not None)
    absent = (set() if facts.chinese else CHINESE_SOURCES) | (set() if facts.speech else SPOKEN_SOURCES)
    assert set(facts.sources) == set(LEAST) - absent
    assert all(source.samples >= LEAST[name] for name, source in facts.sources.items())


def test_crops_of_one_photograph_do_not_overlap_and_lie_inside_it() -> None:
    for photo in PHOTOGRAPHS:
        size = open_photograph(photo).size
        boxes = [place.box for place in cut(photo, size)]
        for left, upper, right, lower in boxes:
            assert 0 <= left < right <= size[0] and 0 <= upper < lower <= size[1]
            assert min(right - left, lower - upper) >= 56
        for one, two in combinations(boxes, 2):
            apart = one[2] <= two[0] or two[2] <= one[0] or one[3] <= two[1] or two[3] <= one[1]
            assert apart, (photo.file, one, two)


def test_every_image_of_a_good_sample_is_there_and_opens(sample: tuple[Path, SampleFacts]) -> None:
    folder, facts = sample
    for name in seen_sources(facts):
        for annotation, position, record in good(folder / name, facts):
            for data in pictures(folder / name, record):
                picture = opened(data)
                assert min(picture.size) >= 40, (name, annotation, position)


def test_counts_of_samples_and_questions_equal_the_answer_key(sample: tuple[Path, SampleFacts]) -> None:
    folder, facts = sample
    key = json.loads((folder / KEY).read_text(encoding="utf-8"))
    assert read_sample(folder) == facts
    for name, source in key["sources"].items():
        if name not in seen_sources(facts):
            continue
        kept = [record for _, _, record in good(folder / name, facts)]
        asked = sum(len(turns(record)) // 2 or 1 for record in kept)
        assert (len(kept), asked) == (source["samples"], source["questions"]), name
    assert key["totals"]["samples"] == sum(source["samples"] for source in key["sources"].values())


def test_good_records_are_whole_roles_alternate_and_placeholders_fit(
    sample: tuple[Path, SampleFacts],
) -> None:
    folder, facts = sample
    for name in seen_sources(facts):
        repaired = {
            p["position"] for p in facts.sources[name].awkward if p["kind"] == "no_placeholder_one_image"
        }
        for _, position, record in good(folder / name, facts):
            if "texts" in record:
                continue
            told = turns(record)
            assert told and len(told) % 2 == 0 and all(text.strip() for text in told)
            found = sum(text.count("<image>") for text in told[::2])
            assert found == len(pictures(folder / name, record)) - (position in repaired)


def test_no_two_samples_of_a_source_are_the_same(sample: tuple[Path, SampleFacts]) -> None:
    folder, facts = sample
    for name in seen_sources(facts):
        seen: set[str] = set()
        for _, position, record in good(folder / name, facts):
            said = json.dumps([turns(record), record.get("texts")]).encode()
            what = hashlib.sha256(b"".join(pictures(folder / name, record)) + said).hexdigest()
            assert what not in seen, (name, position)
            seen.add(what)


def test_enough_kinds_are_planted_and_every_source_stays_within_its_tolerance(
    sample: tuple[Path, SampleFacts],
) -> None:
    _, facts = sample
    plants = [plant for source in facts.sources.values() for plant in source.rejects + source.awkward]
    assert len({plant["kind"] for plant in plants}) >= 24
    assert {plant["rule"] for plant in plants if "rule" in plant} >= RULES
    for name, source in facts.sources.items():
        tolerance = load_source(name).tolerance
        unwanted = ("other_split", "other_subset", "garbage_tag")
        refused = [reject for reject in source.rejects if reject["rule"] not in unwanted]
        assert len(refused) / (len(refused) + source.samples) <= tolerance, name


def test_a_plant_lies_where_the_answer_key_says(sample: tuple[Path, SampleFacts]) -> None:
    folder, facts = sample
    for name in seen_sources(facts):
        source, listed = facts.sources[name], records(folder / name)
        for plant in source.rejects + source.awkward + source.curated:
            record = listed[plant["annotation"]][plant["position"]]
            assert (record is BLANK) == (plant["kind"] == "blank_line")
            assert (record or {}).get("id") == plant.get("native_id"), plant


def test_broken_media_are_broken_in_the_way_they_are_said_to_be(sample: tuple[Path, SampleFacts]) -> None:
    folder, _ = sample
    photos = folder / "sample-photos/images"
    with pytest.raises(OSError, match="truncated"):
        opened((photos / "broken-download.jpg").read_bytes())
    header = (photos / "very-large.png").read_bytes()
    assert len(header) < 200 and header[16:24] == (40_000).to_bytes(4, "big") * 2
    assert (photos / "shortcut.jpg").is_symlink()
    assert not (photos / "shortcut.jpg").resolve().is_relative_to((folder / "sample-photos").resolve())
    assert opened((photos / "shortcut.jpg").read_bytes())
    rows = {row["id"]: row for part in records(folder / "sample-charts").values() for row in part}
    for name in ("cut", "noise"):
        with pytest.raises((OSError, SyntaxError)):
            opened(rows[name]["image"]["bytes"])
    assert rows["empty"]["image"]["bytes"] == b"" and rows["null"]["conversations"] is None


def test_awkward_pictures_look_as_a_person_expects_them(sample: tuple[Path, SampleFacts]) -> None:
    folder, facts = sample
    listed = records(folder / "sample-photos")["captions.json"]
    plants = {p["kind"]: p for p in facts.sources["sample-photos"].awkward if "expected" in p}
    assert len(plants) == 9
    for kind, plant in plants.items():
        picture = opened((folder / "sample-photos" / listed[plant["position"]]["image"]).read_bytes())
        if kind == "png_16_bit":
            assert picture.mode == "I;16"
            picture = picture.point(lambda level: level / 257).convert("L")
        if kind == "rgba_png":
            picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
        upright = ImageOps.exif_transpose(picture).convert("RGB")
        assert upright.size == (plant["expected"]["width"], plant["expected"]["height"]), kind
        assert ImageStat.Stat(upright).mean == pytest.approx(plant["expected"]["mean_rgb"], abs=1.0), kind


def test_captions_are_true_of_the_pixels(sample: tuple[Path, SampleFacts]) -> None:
    folder, facts = sample
    told = {"lighter": 0, "size": 0, "dark": 0}
    awkward = {plant["position"] for plant in facts.sources["sample-photos"].awkward}
    for _, position, record in good(folder / "sample-photos", facts):
        if position in awkward:
            continue
        caption = turns(record)[1]
        grey = opened((folder / "sample-photos" / record["image"]).read_bytes()).convert("L")
        width, height = grey.size
        halves = {
            "left": (0, 0, width // 2, height),
            "right": (width // 2, 0, width, height),
            "upper": (0, 0, width, height // 2),
            "lower": (0, height // 2, width, height),
        }
        light = {half: ImageStat.Stat(grey.crop(box)).mean[0] for half, box in halves.items()}
        for one, two in re.findall(r"The (\w+) half is lighter than the (\w+) half", caption):
            told["lighter"] += 1
            assert light[one] > light[two] + 5, record["id"]
        for sides in re.findall(r"(\d+) by (\d+) pixels", caption):
            told["size"] += 1
            assert (width, height) == tuple(map(int, sides))
        if re.search(r"(Overall the crop|it) is (very )?dark\.", caption):
            told["dark"] += 1
            assert ImageStat.Stat(grey).mean[0] < 100
        assert sum(photo.subject in caption for photo in PHOTOGRAPHS) == 1
        assert next(p for p in PHOTOGRAPHS if p.subject in caption).name in record["image"]
    assert min(told.values()) > 50


def test_comparisons_of_two_pictures_are_true(sample: tuple[Path, SampleFacts]) -> None:
    folder, facts = sample
    root, checked = folder / "sample-photo-qa", 0
    for _, _, record in good(root, facts):
        told = turns(record)
        for question, answer in zip(told[::2], told[1::2], strict=True):
            if "lighter on the whole" in question:
                one, two = (ImageStat.Stat(opened(d).convert("L")).mean[0] for d in pictures(root, record))
                assert ("first" in answer) == (one > two)
                checked += 1
            if "same photograph" in question:
                names = {Path(name).stem.rsplit("-", 1)[0] for name in record["image"]}
                assert answer.startswith("Yes") == (len(names) == 1)
                checked += 1
    assert checked > 50


def test_every_sum_that_an_answer_spells_out_is_right(sample: tuple[Path, SampleFacts]) -> None:
    folder, facts = sample
    checked = 0
    for name in seen_sources(facts):
        for _, _, record in good(folder / name, facts):
            for answer in turns(record)[1::2]:
                for sum_, total in re.findall(r"(?<![\d/x(]\s)\b(\d+(?: ?[-+] ?\d+)+) ?= ?(-?\d+)", answer):
                    terms = re.findall(r"[-+]?\d+", sum_.replace(" ", ""))
                    assert sum(map(int, terms)) == int(total), answer
                    checked += 1
    assert checked > 200


def test_questions_on_figures_told_in_words_are_answered_rightly(sample: tuple[Path, SampleFacts]) -> None:
    folder, facts = sample
    checked = 0
    for _, _, record in good(folder / "sample-charts", facts):
        if record["image"] is not None:
            continue
        told = turns(record)
        listed = told[0].split("shows, in ")[1].split(": ", 1)[1].split(". ")[0]
        figures = {
            label: int(value) for label, value in re.findall(r"([A-Z0-9][\w ]*?) (\d+)(?:,|$)", listed)
        }
        answers = dict(zip(told[::2], told[1::2], strict=True))
        for question, answer in answers.items():
            if "highest" in question or "largest?" in question:
                assert answer.startswith(max(figures, key=lambda label: figures[label])), answer
                checked += 1
            if question.endswith("values are shown?"):
                assert answer == f"{len(figures)}."
                checked += 1
    assert checked > 8


def test_the_goods_on_a_receipt_add_up_and_their_boxes_hold_ink(sample: tuple[Path, SampleFacts]) -> None:
    folder, facts = sample
    root, summed = folder / "sample-receipts", 0
    awkward = {plant["position"] for plant in facts.sources["sample-receipts"].awkward}
    for _, position, record in good(root, facts):
        if position in awkward:
            continue
        words = [each["transcription"] for each in record["texts"]]
        picture = opened((root / record["image"]).read_bytes()).convert("L")
        for each in record["texts"]:
            (left, upper), (right, lower) = each["points"][0], each["points"][2]
            assert 0 <= left < right < picture.width and 0 <= upper < lower < picture.height
            assert ImageStat.Stat(picture.crop((left, upper, right + 1, lower + 1))).extrema[0][0] < 160
        if "###" not in words:
            total = words.index("TOTAL")
            goods = words[5:total:2]
            assert sum(round(float(price) * 100) for price in goods) == round(float(words[total + 1]) * 100)
            summed += 1
    assert summed > 100


def test_a_complete_corpus_is_left_as_it_is(sample: tuple[Path, SampleFacts]) -> None:
    folder, facts = sample
    before = (folder / KEY).stat().st_mtime_ns
    said: list[str] = []
    assert make_sample(folder, said.append) == facts
    assert (folder / KEY).stat().st_mtime_ns == before
    assert "already" in said[0]


def test_a_folder_that_holds_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("chapter one")
    with pytest.raises(UsageError, match="name another folder"):
        make_sample(tmp_path, lambda line: None)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_run_that_is_broken_off_leaves_nothing_behind(tmp_path: Path) -> None:
    def stop(line: str) -> None:
        if line.startswith("sample-photos:"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_sample(tmp_path / "corpus", stop)
    assert list(tmp_path.iterdir()) == []


def test_a_photograph_that_is_not_installed_is_named_with_its_package() -> None:
    lost = Photograph(
        "lost.png", "nothing", ("nothing",), CC0, "nobody", ("no_such_module", "some-package", ".")
    )
    with pytest.raises(SourceError, match="pip install some-package"):
        open_photograph(lost)
