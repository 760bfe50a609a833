"""Benchmark cards: found, checked, and each of the packaged ones read in a miniature of its published layout."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import textwrap
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from manifests import ROOT
from tests.factories import Catalogued, catalogue, jpeg
from tests.sounds import encoded, speechlike, written
from tests.vita_data.films import film
from vita_data.errors import ManifestError
from vita_data.manifest.benchmark import BenchmarkCard, Guard
from vita_data.manifest.find import all_sources, load_benchmark, load_benchmarks, load_mixture
from vita_data.manifest.source import source_root
from vita_data.sources.registry import checked_options

README = (ROOT / "README.md").read_text()
EXAMPLE = textwrap.dedent(re.findall(r"\n\n((?:    .*\n)+)", README.partition("## Benchmark cards")[2])[0])
CARDS = load_benchmarks("all")
B64 = [base64.b64encode(jpeg(24, n)).decode() for n in range(3)]
MVBENCH_ROOTS: dict[str, str] = checked_options(CARDS["mvbench"].as_source())["media_roots"]
SECOND = speechlike(1.0, 16_000)


def write(path: Path, data: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def table(path: Path, *rows: dict[str, Any]) -> None:
    """A benchmark as VLMEvalKit ships it."""
    buffer = io.StringIO()
    columns = list(dict.fromkeys(key for row in rows for key in row))
    writer = csv.DictWriter(buffer, columns, delimiter="\t")
    writer.writeheader()
    writer.writerows(rows)
    write(path, buffer.getvalue())


def parquet(path: Path, *rows: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows)), path)


def archive(path: Path, members: dict[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as into:
        for name, data in members.items():
            into.writestr(name, data)


def read(card: BenchmarkCard, against: Path, folder: Path) -> Catalogued:
    """What the catalog pass makes of a benchmark below a folder, which it reads as any source."""
    root = source_root(card.as_source(), str(against))
    source = card.as_source(root)
    return catalogue(
        Path(root),
        folder,
        source.annotations,
        source.adapter,
        source.source,
        source.kind,
        source.media,
        source.seconds,
        source.case,
        source.language,
        **checked_options(source),
    )


def said(found: Catalogued) -> list[tuple[str, str, int]]:
    """(question, answer, how many media) of every record, in order."""
    rows = sorted(found.kept, key=lambda row: (row["annotation"], row["position"]))
    turns = [[turn["value"] for turn in json.loads(row["record"])["conversations"]] for row in rows]
    media = [len({(each["kind"], each["part_of"]) for each in row["media"]}) for row in rows]
    return [(asked, answer, count) for (asked, answer), count in zip(turns, media, strict=True)]


def _mmbench(against: Path, name: str, answer: str = "A") -> list[tuple[str, str, int]]:
    row = {"question": "What flies?", "hint": "Look up.", "A": "a kite", "B": "a boat", "answer": answer}
    row |= {"category": "identity", "l2-category": "perception", "split": "dev"}
    table(against / name, {"index": 5, **row, "image": B64[0]}, {"index": 1_000_005, **row, "image": "5"})
    asked = "<image>\nLook up.\nWhat flies?\nA. a kite\nB. a boat"
    return [(asked, answer or "(not published)", 1)] * 2


def _plain(against: Path, name: str, **columns: Any) -> list[tuple[str, str, int]]:
    row = {"index": 0, "image": B64[1], "question": "What is written?", "answer": "Yes", **columns}
    table(against / name, row)
    choices = "".join(f"\n{letter}. {columns[letter]}" for letter in "AB" if letter in columns)
    return [(f"<image>\n{row['question']}{choices}", str(row["answer"]), 1)]


def _mmmu(against: Path) -> list[tuple[str, str, int]]:
    asked = "Which of <image 1> and <image 2> is red?"
    images = str([B64[0], B64[1]])
    return _plain(against, "MMMU_DEV_VAL.tsv", question=asked, image=images, answer="B", split="dev") and [
        (f"<image>\n<image>\n{asked}", "B", 2)
    ]


def _hallusion(against: Path) -> list[tuple[str, str, int]]:
    columns = {"category": "VD", "set_id": 0, "figure_id": 0, "answer": "No"}
    table(
        against / "HallusionBench.tsv",
        {"index": 0, "image": "", "question": "Is the sea red?", **columns},
        {"index": 1, "image": B64[2], "question": "Is the picture red?", **columns},
    )
    return [("Is the sea red?", "No", 0), ("<image>\nIs the picture red?", "No", 1)]


def _video_mme(against: Path) -> list[tuple[str, str, int]]:
    row = {"video_id": "001", "duration": "short", "videoID": "-a_Bc1D2e3F", "question_id": "001-1"}
    row |= {"question": "What flies?", "answer": "C"}
    options = {"options": ["A. a kite", "B. a boat"]}
    gone = {"videoID": "Zz_Bc1D2e3F", "question_id": "002-1"}
    home = against / "Video-MME"
    parquet(home / "videomme/test-00000-of-00001.parquet", {**row, **options}, {**row, **options, **gone})
    archive(home / "videos_chunked_01.zip", {"data/-a_Bc1D2e3F.mp4": film(20)})
    asked = "What flies?\nA. a kite\nB. a boat"
    return [(f"<video>\n{asked}", "C", 1), (asked, "C", 0)]


def _mvbench(against: Path) -> list[tuple[str, str, int]]:
    row = {"question": "What comes next?", "candidates": ["a kite", "a boat"], "answer": "a boat"}
    asked = "What comes next?\nA. a kite\nB. a boat"
    home, films = against / "MVBench", {}
    for task, folder in MVBENCH_ROOTS.items():
        clip = {"start": 0.5, "end": 1.5} if task in ("action_sequence", "episodic_reasoning") else {}
        write(home / f"json/{task}.json", json.dumps([{"video": f"{task}.mp4", **row, **clip}]))
        films[f"{folder.removeprefix('video/')}/{task}.mp4"] = film(20)
    del films["tvqa/frames_fps3_hq/episodic_reasoning.mp4"]  # folders of pictures, as they are published
    write(home / "video/nturgbd/fine_grained_pose.mp4", films.pop("nturgbd/fine_grained_pose.mp4"))
    late = films.pop("star/Charades_v1_480/action_prediction.mp4")
    archive(home / "video/data0613.zip", {"data0613/star/Charades_v1_480/action_prediction.mp4": late})
    for top in {name.split("/")[0] for name in films}:
        archive(
            home / f"video/{top}.zip", {name: films[name] for name in films if name.startswith(f"{top}/")}
        )
    lost = sorted(MVBENCH_ROOTS).index("episodic_reasoning")
    return [(asked, "a boat", 0) if n == lost else (f"<video>\n{asked}", "a boat", 1) for n in range(20)]


def _tempcompass(against: Path) -> list[tuple[str, str, int]]:
    home = against / "TempCompass"
    row = {"video_id": "1005263", "dim": "speed", "question": "Fast?\nA. yes\nB. no", "answer": "A. yes"}
    for task in ("multi-choice", "yes_no", "caption_matching"):
        parquet(home / task / "test-00000-of-00001.parquet", row)
    parquet(
        home / "captioning/test-00000-of-00001.parquet", {**row, "mc_question": "Q", "mc_answer": "A. yes"}
    )
    archive(home / "tempcompass_videos.zip", {"videos/1005263.mp4": film(20)})
    return [("<video>\nFast?\nA. yes\nB. no", "A. yes", 1)] * 4


def _librispeech(against: Path, name: str) -> list[tuple[str, str, int]]:
    folder = against / "LibriSpeech" / name / "1089" / "134686"
    write(folder / "1089-134686.trans.txt", "1089-134686-0000 HE HOPED THERE WOULD BE STEW\n")
    write(folder / "1089-134686-0000.flac", written("flac", SECOND, 16_000))
    return [("<audio>", "he hoped there would be stew", 1)]


def _aishell(against: Path) -> list[tuple[str, str, int]]:
    home = against / "aishell-1" / "data_aishell"
    lines = "BAC009S0002W0122 而 对 楼市\nBAC009S0764W0121 甚至 出现\nBAC009S0916W0495 交易 清淡\n"
    write(home / "transcript/aishell_transcript_v0.8.txt", lines)
    for speaker, name in (("S0764", "W0121"), ("S0916", "W0495")):
        path = home / "wav/test" / speaker / f"BAC009{speaker}{name}.wav"
        write(path, written("wav", SECOND, 16_000))
    return [("<audio>", "甚至出现", 1), ("<audio>", "交易清淡", 1)]


def _wenetspeech(against: Path, subset: str) -> list[tuple[str, str, int]]:
    segments = [
        {"sid": f"{kind}_Y1_S0000{n}", "begin_time": 0.1, "end_time": 0.9, "text": kind, "subsets": [kind]}
        for n, kind in enumerate(["L", "TEST_NET", "TEST_MEETING"])
    ]
    audio = {"aid": "Y1", "path": "audio/test_net/B0/Y1.opus", "segments": segments}
    write(against / "WenetSpeech/WenetSpeech.json", json.dumps({"audios": [audio]}))
    write(against / "WenetSpeech" / str(audio["path"]), encoded("opus", SECOND, 16_000))
    return [("<audio>", subset, 1)]


# Writes a benchmark as it is published, made-up words in it, and says what must be read of it.
MINIATURES: dict[str, Callable[[Path], list[tuple[str, str, int]]]] = {
    "mmbench-dev-en": lambda at: _mmbench(at, "MMBench_DEV_EN_V11.tsv"),
    "mmbench-dev-cn": lambda at: _mmbench(at, "MMBench_DEV_CN.tsv"),
    "mmbench-test-en": lambda at: _mmbench(at, "MMBench_TEST_EN.tsv", answer=""),
    "mmbench-test-cn": lambda at: _mmbench(at, "MMBench_TEST_CN_V11.tsv", answer=""),
    "mme": lambda at: _plain(at, "MME.tsv", category="OCR", question="Is it? Please answer yes or no."),
    "mmstar": lambda at: _plain(at, "MMStar.tsv", A="a kite", B="a boat", answer="B", l2_category="x"),
    "mmmu": _mmmu,
    "mathvista": lambda at: _plain(at, "MathVista_MINI.tsv", question_type="free_form", answer="1.2"),
    "hallusionbench": _hallusion,
    "ai2d": lambda at: _plain(at, "AI2D_TEST.tsv", A="leaf", B="stem", answer="A"),
    "ocrbench": lambda at: _plain(at, "OCRBench.tsv", answer="['CENTRE']", category="Regular Text"),
    "mm-vet": lambda at: _plain(at, "MMVet.tsv", answer="14<AND>x<OR>y", capability="rec"),
    "video-mme": _video_mme,
    "mvbench": _mvbench,
    "tempcompass": _tempcompass,
    "librispeech-dev-clean": lambda at: _librispeech(at, "dev-clean"),
    "librispeech-dev-other": lambda at: _librispeech(at, "dev-other"),
    "librispeech-test-clean": lambda at: _librispeech(at, "test-clean"),
    "librispeech-test-other": lambda at: _librispeech(at, "test-other"),
    "aishell-1-test": _aishell,
    "wenetspeech-test-net": lambda at: _wenetspeech(at, "TEST_NET"),
    "wenetspeech-test-meeting": lambda at: _wenetspeech(at, "TEST_MEETING"),
}


def test_the_packaged_benchmarks_are_the_papers_and_each_has_a_miniature_here() -> None:
    assert set(CARDS) == set(MINIATURES)
    assert load_mixture("paper").benchmarks == "all"
    sample = load_mixture("sample").benchmarks
    assert sample and all(name.startswith("sample-") for name in sample)


@pytest.mark.parametrize("name", CARDS)
def test_a_packaged_benchmark_is_read_as_it_is_published(tmp_path: Path, name: str) -> None:
    wanted = MINIATURES[name](tmp_path / "against")
    found = read(CARDS[name], tmp_path / "against", tmp_path / "catalog")
    assert [row for row in found.rejected if row["step"] != "wanted"] == []
    assert said(found) == wanted


@pytest.mark.parametrize("name", ["video-mme", "mvbench", "tempcompass"])
def test_questions_are_read_where_no_film_was_fetched(tmp_path: Path, name: str) -> None:
    wanted = MINIATURES[name](tmp_path)
    for films in [*tmp_path.rglob("*.zip"), *tmp_path.rglob("*.mp4")]:
        films.unlink()
    found = said(read(CARDS[name], tmp_path, tmp_path / "catalog"))
    assert found == [(asked.removeprefix("<video>\n"), answer, 0) for asked, answer, _ in wanted]


def test_every_packaged_card_says_which_version_to_take_and_fits_its_adapter() -> None:
    for card in CARDS.values():
        assert card.revision is not None and re.search("[0-9]", card.revision), card.benchmark
        assert card.picture_alone is (card.kind in ("image", "video")), card.benchmark
        checked_options(card.as_source())
    assert {card.source for card in all_sources()}.isdisjoint(CARDS)  # keys begin with these names


def test_the_training_cards_that_hold_a_speech_benchmark_are_guarded() -> None:
    guarded = {(guard.source, name) for name, card in CARDS.items() for guard in card.guards}
    sets = ("dev-clean", "dev-other", "test-clean", "test-other")
    assert guarded == {
        *((source, f"librispeech-{each}") for source in ("librispeech", "libritts") for each in sets),
        ("aishell-1", "aishell-1-test"),
        ("wenetspeech", "wenetspeech-test-net"),
        ("wenetspeech", "wenetspeech-test-meeting"),
    }


@pytest.mark.parametrize(
    ("benchmark", "source", "split", "native_id", "held"),
    [
        ("librispeech-test-clean", "librispeech", "test-clean", '"1089-134686-0000"', True),
        ("librispeech-test-clean", "librispeech", "train-clean-100", '"19-198-0001"', False),
        ("librispeech-test-other", "librispeech", "Test-Other", None, True),
        ("aishell-1-test", "aishell-1", None, '"BAC009S0764W0121"', True),
        ("aishell-1-test", "aishell-1", None, '"BAC009S0916W0495"', True),
        ("aishell-1-test", "aishell-1", "train", '"BAC009S0763W0121"', False),
        ("aishell-1-test", "aishell-1", "train", '"BAC009S0917W0121"', False),
        ("aishell-1-test", "aishell-1", "train", "7", False),
        ("wenetspeech-test-net", "wenetspeech", "TEST_NET", None, True),
        ("wenetspeech-test-net", "wenetspeech", "L", '"TEST_NET_Y0_S0"', True),
        ("wenetspeech-test-net", "wenetspeech", "TEST_MEETING", '"TEST_MEETING_T0_S0"', False),
    ],
)
def test_a_guard_knows_the_benchmarks_own_samples(
    benchmark: str, source: str, split: str | None, native_id: str | None, held: bool
) -> None:
    guards = CARDS[benchmark].guards_of(source)
    assert any(guard.holds(split, native_id) for guard in guards) is held


def test_the_speakers_of_a_guard_are_those_of_the_test_split() -> None:
    (guard,) = CARDS["aishell-1-test"].guards
    named = [n for n in range(1000) if guard.holds(None, f'"BAC009S{n:04}W0001"')]
    assert named == list(range(764, 917))


def test_a_benchmark_as_a_source_stops_at_nothing_and_lies_where_one_says() -> None:
    source = CARDS["mme"].as_source()
    assert (source.source, source.kind, source.row.scenario) == ("mme", "qa", "General Image")
    assert source.tolerance == 1
    assert CARDS["librispeech-test-clean"].as_source().kind == "asr"
    assert CARDS["mvbench"].as_source().row.scenario == "General Video"
    assert source_root(source, "/benchmarks") == "/benchmarks"
    assert source_root(CARDS["mvbench"].as_source(), "/benchmarks") == "/benchmarks/MVBench"


def test_own_benchmarks_are_found_below_the_mixture_then_in_manifests_then_in_the_package(
    tmp_path: Path,
) -> None:
    mixture = tmp_path / "here" / "mine.yaml"
    mine = EXAMPLE.replace("my-benchmark", "mme")
    beside = write(tmp_path / "here" / "benchmarks" / "mme.yaml", mine)
    named = write(tmp_path / "there" / "benchmarks" / "mme.yaml", mine)
    write(tmp_path / "here" / "other.yaml", "mixture: other")
    assert load_benchmark("mme", mixture, tmp_path / "there").path == beside
    assert load_benchmark("mme", None, tmp_path / "there").path == named
    assert load_benchmark("mme").origin == "package"
    every = load_benchmarks("all", mixture, tmp_path / "there")
    assert list(every) == sorted(CARDS)
    assert every["mme"].path == beside
    assert list(load_benchmarks(["mvbench", "mme"])) == ["mvbench", "mme"]


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("kind: image", "kind: picture", 3, "kind is 'picture'; write one of image, video, text, speech"),
        ("kind: image", "kind: speech", 11, "a benchmark of kind speech has no pictures"),
        ("[test.json]", "[]", 9, "annotations is an empty list"),
        ("llava_json", "llava_jsn", 8, "adapter llava_jsn is no adapter; write one of llava_json"),
        ("picture_alone", "pictures_alone", 11, "unknown key pictures_alone; write picture_alone"),
        ("title: Questions", "titel: Questions", 2, "unknown key titel; write title"),
        (", splits: [test, minitest]", "", 13, "the guard of scienceqa guards nothing"),
        ("splits: [test, minitest]", "ids: '('", 13, "ids is no regular expression"),
        ("scienceqa", "scienseqa", 13, "there is no source card scienseqa"),
        ("benchmark: my-benchmark", "benchmark: My Set", 1, "is no name"),
        ("benchmark: my-benchmark", "benchmark: yours", 1, "the card calls itself yours but its file is"),
    ],
)
def test_a_wrong_card_is_refused_at_its_line(
    tmp_path: Path, old: str, new: str, line: int, words: str
) -> None:
    assert old in EXAMPLE
    path = write(tmp_path / "benchmarks" / "my-benchmark.yaml", EXAMPLE.replace(old, new, 1))
    with pytest.raises(ManifestError, match=re.escape(words)) as caught:
        load_benchmark("my-benchmark", None, tmp_path)
    assert str(caught.value).startswith(f"{path}:{line}: ")


@pytest.mark.parametrize(
    ("value", "line", "words"),
    [
        ("[mme, mvbanch]", 3, "there is no benchmark card mvbanch"),
        ("[mme, mmstar, mme]", 3, "benchmark mme stands twice in the list; keep one"),
        ("every", 3, "benchmarks is 'every'; write all or a list"),
    ],
)
def test_a_mixture_names_benchmarks_that_are_there(tmp_path: Path, value: str, line: int, words: str) -> None:
    text = f"mixture: mine\ntitle: Mine\nbenchmarks: {value}\nsources: [{{source: chatqa, questions: all}}]\n"
    path = write(tmp_path / "mine.yaml", text)
    with pytest.raises(ManifestError, match=re.escape(words)) as caught:
        load_mixture(str(path))
    assert str(caught.value).startswith(f"{path}:{line}: ")
    write(path, text.replace(value, "[mme, mmstar]"))
    assert load_mixture(str(path)).benchmarks == ("mme", "mmstar")


def test_the_readme_explains_every_key_and_its_example_is_a_card(tmp_path: Path) -> None:
    card = load_benchmark(str(write(tmp_path / "benchmark.yaml", EXAMPLE)))
    assert (card.benchmark, card.picture_alone) == ("my-benchmark", True)
    assert card.guards == (Guard("scienceqa", ("test", "minitest")),)
    checked_options(card.as_source())
    section = README.partition("## Benchmark cards")[2]
    keys = {*BenchmarkCard.__dataclass_fields__, *Guard.__dataclass_fields__} - {"path", "origin"}
    assert [key for key in sorted(keys) if f"`{key}`" not in section] == []


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("name", "native_id"),
    [
        ("librispeech-dev-clean", "1272-128104-0000"),
        ("librispeech-dev-other", "2412-153948-0000"),
        ("wenetspeech-test-net", "TEST_NET_Y0000000000_-KTKHdZ2fb8_S00000"),
    ],
)
def test_real_recordings_of_a_benchmark_are_read(
    corpus: Path, tmp_path: Path, name: str, native_id: str
) -> None:
    found = read(CARDS[name], corpus / "speech", tmp_path)
    (row,) = found.kept
    assert row["native_id"] == json.dumps(native_id)
    assert {reject["step"] for reject in found.rejected} <= {"wanted"}
    assert any(guard.holds(row["split"], None) for guard in CARDS[name].guards)


@pytest.mark.corpus
def test_a_guard_tells_the_real_speakers_outside_the_test_split(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "aishell-1").mkdir()
    (tmp_path / "aishell-1" / "data_aishell").symlink_to(corpus / "speech" / "data_aishell")
    assert read(CARDS["aishell-1-test"], tmp_path, tmp_path / "catalog").kept == []
