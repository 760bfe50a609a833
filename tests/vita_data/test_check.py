"""The first look at a corpus: each thing that can be missing or odd is said in a sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.factories import ENVIRONMENT, noise, record, write_source
from tests.natives import read_all
from vita_data.cli.main import main
from vita_data.sources.base import Fault, Native
from vita_data.sources.head import HEAD_BYTES, Reading, Source
from vita_data.sources.llava_json import LlavaJson, LlavaOptions


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def check(home: Path, *more: object) -> tuple[int, dict[str, Any]]:
    """What the check says of the source `made`, which the test wrote."""
    done = call("sources", "check", home / "made.yaml", "--json", *more)
    assert done.exit_code in (0, 1), done.output
    return done.exit_code, json.loads(done.stdout)


def made(home: Path, records: list[Any], pictures: int = 0, **card: Any) -> None:
    """A source of records with some pictures in its folder."""
    write_source(home, "made", records, **{"tolerance": 0.01, **card})
    for number in range(pictures):
        noise(home / f"made/images/{number}.png", number)


def change(home: Path, **facts: Any) -> None:
    """Some of the card written anew."""
    card = home / "made.yaml"
    card.write_text(json.dumps({**json.loads(card.read_text()), **facts}))


def asks(count: int) -> list[Any]:
    return [record(n, f"What is {n}?", f"A picture {n}.", f"images/{n}.png") for n in range(count)]


def sentence(said: list[str], *words: str) -> str:
    """The one sentence that holds all the words."""
    (found,) = [each for each in said if all(word in each for word in words)]
    return found


def test_a_whole_corpus_is_fine_and_is_counted_exactly(tmp_path: Path) -> None:
    made(tmp_path, asks(12), 12)
    status, said = check(tmp_path)
    assert status == 0 and said["ok"] and said["wrong"] == [] and said["odd"] == []
    assert said["files"] == [{"pattern": "data.jsonl", "found": 1, "bytes": said["files"][0]["bytes"]}]
    assert (said["records"]["read"], said["records"]["kept"], said["records"]["all"]) == (12, 12, True)
    assert (said["media"]["opened"], said["media"]["missing"], said["media"]["broken"]) == (12, 0, 0)
    assert said["media"]["ranges"]["pictures, longer side"] == [96, 96]
    assert (said["estimate"]["there"], said["estimate"]["exact"]) == (12, True)
    assert set(said) >= {"source", "ok", "files", "records", "media", "odd", "estimate"}


def test_no_more_media_are_opened_than_asked_and_they_are_not_just_the_first(tmp_path: Path) -> None:
    made(tmp_path, asks(60), 60)
    for number in range(50, 60):
        (tmp_path / f"made/images/{number}.png").write_bytes(b"no picture")
    _, said = check(tmp_path, "--media", 20)
    assert said["media"]["named"] == 60
    assert said["media"]["opened"] + said["media"]["broken"] == 20
    assert said["media"]["broken"] > 0, "a look at the first twenty would see none"


def test_an_annotation_that_is_not_there_is_named(tmp_path: Path) -> None:
    made(tmp_path, asks(3), 3)
    (tmp_path / "made/data.jsonl").unlink()
    status, said = check(tmp_path)
    assert status == 1
    assert said["files"][0]["found"] == 0
    sentence(said["wrong"], "no file matches data.jsonl")


def test_a_folder_that_is_not_there_is_named_with_how_to_get_the_corpus() -> None:
    done = call("sources", "check", "librispeech", "--data-root", "/nowhere")
    assert done.exit_code == 1
    assert "the folder /nowhere/LibriSpeech is not there" in done.stdout and "OpenSLR 12" in done.stdout


def test_a_data_root_that_is_the_corpus_itself_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "LJSpeech-1.1").mkdir()
    (tmp_path / "LJSpeech-1.1/metadata.csv").write_text("a|b|c\n")
    done = call("sources", "check", "ljspeech", "--data-root", tmp_path / "LJSpeech-1.1")
    assert done.exit_code == 1 and "--data-root is the corpus itself" in done.stdout


def test_missing_pictures_beyond_the_tolerance_are_wrong_with_an_example(tmp_path: Path) -> None:
    made(tmp_path, asks(12), 9)
    status, said = check(tmp_path)
    assert status == 1 and said["media"]["missing"] == 3
    sentence(said["wrong"], "3 of 12 media are missing or broken", "images/9.png is not there", "record 10")
    assert said["media"]["examples"][0] == "images/9.png (data.jsonl, record 10)"


def test_one_bad_record_is_within_every_tolerance_but_none(tmp_path: Path) -> None:
    made(tmp_path, asks(12), 11)
    assert check(tmp_path)[0] == 0
    change(tmp_path, tolerance=0)
    assert check(tmp_path)[0] == 1


def test_pictures_below_another_folder_are_found_by_a_hint(tmp_path: Path) -> None:
    made(tmp_path, asks(6), 6)
    (tmp_path / "made/images").rename(tmp_path / "made/moved")
    (tmp_path / "made/deep").mkdir()
    (tmp_path / "made/moved").rename(tmp_path / "made/deep/images")
    _, said = check(tmp_path)
    hint = sentence(said["odd"], "6 of the 6 missing media would be found")
    assert "set `media_root: deep`" in hint
    change(tmp_path, options={"media_root": "deep"})
    assert check(tmp_path)[0] == 0, "the hint is true"


@pytest.mark.parametrize(("suffix", "words"), [(".PNG", "case"), (".jpg", "extension")])
def test_pictures_under_another_case_or_extension_are_found_by_a_hint(
    tmp_path: Path, suffix: str, words: str
) -> None:
    made(tmp_path, asks(4), 4)
    for path in (tmp_path / "made/images").iterdir():
        path.rename(path.with_suffix(suffix))
    _, said = check(tmp_path)
    sentence(said["odd"], "would be found", f"`media: {{fallback: [{words}]}}`")
    change(tmp_path, media={"fallback": [words]})
    assert check(tmp_path)[0] == 0, "the hint is true"


def test_pictures_in_an_archive_that_the_card_does_not_name_are_found_by_a_hint(tmp_path: Path) -> None:
    made(tmp_path, asks(4), 4)
    _zip(tmp_path / "made", "unpacked/")
    _, said = check(tmp_path)
    hint = sentence(said["odd"], "they lie in an archive")
    assert "`media: {places: [{inside: all.zip, strip: unpacked/}]}`" in hint
    change(tmp_path, media={"places": [{"inside": "all.zip", "strip": "unpacked/"}]})
    status, said = check(tmp_path)
    assert status == 0, "the hint is true"
    assert said["archives"][0]["members"] == 4 and said["media"]["opened"] == 4


def _zip(folder: Path, before: str) -> None:
    with zipfile.ZipFile(folder / "all.zip", "w") as archive:
        for path in sorted((folder / "images").iterdir()):
            archive.write(path, f"{before}images/{path.name}")
            path.unlink()


def test_an_archive_that_the_card_names_and_that_is_not_there_is_wrong(tmp_path: Path) -> None:
    made(tmp_path, asks(3), 3)
    change(tmp_path, media={"places": [{"inside": "all.zip"}]})
    status, said = check(tmp_path)
    assert status == 1
    sentence(said["wrong"], "no file matches all.zip")


def test_media_in_an_archive_that_must_be_copied_out_are_not_called_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path, asks(3), 3, media={"places": [{"inside": "all.tar.gz"}]})
    with tarfile.open(tmp_path / "made/all.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "made/images", "images")
    for path in (tmp_path / "made/images").iterdir():
        path.unlink()
    assert check(tmp_path)[1]["media"]["opened"] == 3
    monkeypatch.setattr("vita_data.check.opened.COPIED_BYTES", 0)
    status, said = check(tmp_path)
    assert (status, said["media"]["unlooked"], said["media"]["missing"]) == (0, 3, 0)
    assert said["archives"] == [{**said["archives"][0], "members": None, "skipped": True}]
    sentence(said["odd"], "3 media were not looked for", "all.tar.gz")


def test_records_that_cannot_be_read_are_shared_by_rule_with_a_place(tmp_path: Path) -> None:
    made(tmp_path, asks(6), 6)
    with open(tmp_path / "made/data.jsonl", "a") as stream:
        stream.write('{"id": 6\n"text"\n[]\n')
    status, said = check(tmp_path)
    rules = said["records"]["rules"]
    assert status == 1 and rules["not_json"]["count"] == 1 and rules["not_a_record"]["count"] == 2
    assert rules["not_a_record"]["examples"][0]["at"] == "data.jsonl, record 8"
    sentence(said["wrong"], "3 of 9 records cannot be read", "tolerance of 1.0%", "record 8")


def test_placeholders_and_roles_that_do_not_fit_are_told(tmp_path: Path) -> None:
    records = asks(6)
    records[1]["conversations"][0]["value"] = "<image> <image> What?"
    records[2]["conversations"][0]["from"] = "narrator"
    made(tmp_path, records, 6)
    status, said = check(tmp_path)
    assert status == 0, "structure is what a build leaves out, and nothing that cannot be read"
    sentence(said["odd"], "1 of 6 records break the rule placeholders_match", "record 2")
    sentence(said["odd"], "unknown_role", "narrator", "record 3")


def test_a_source_of_which_nothing_can_be_kept_is_wrong(tmp_path: Path) -> None:
    records = asks(4)
    for each in records:
        each["conversations"][0]["value"] = "<image> <image>"
    made(tmp_path, records, 4)
    status, said = check(tmp_path)
    assert status == 1
    sentence(said["wrong"], "none of the 4 wanted records can be kept", "placeholders_match")


def test_ids_that_are_missing_or_doubled_are_told(tmp_path: Path) -> None:
    records = asks(6)
    del records[0]["id"]
    records[3]["id"] = records[2]["id"]
    made(tmp_path, records, 6)
    _, said = check(tmp_path)
    sentence(said["odd"], "1 of 6 records have no id")
    sentence(said["odd"], "1 ids stand for more than one record", "as 2;")


def test_another_language_than_the_cards_is_told(tmp_path: Path) -> None:
    made(tmp_path, [record(n, f"第{n}个是什么？", "一张图。", f"images/{n}.png") for n in range(4)], 4)
    _, said = check(tmp_path)
    sentence(said["odd"], "100% of the kept records hold Chinese", "language en")


def test_fewer_questions_than_the_mixture_asks_for_are_told(tmp_path: Path) -> None:
    made(tmp_path, asks(5), 5)
    mixture = tmp_path / "mix.yaml"
    mixture.write_text("mixture: mix\ntitle: T\nsources:\n  - {source: made, questions: 50}\n")
    done = call("sources", "check", "made", "--mixture", mixture, "--json")
    said = json.loads(done.stdout)
    assert (said["estimate"]["row"], said["estimate"]["of"]) == (50, "mixture")
    sentence(said["odd"], "5 questions are there and the mixture asks for 50: 10.0%")


def test_transcripts_that_hold_no_word_are_told_by_rule(tmp_path: Path) -> None:
    from tests.sounds import made as sound_file
    from tests.sounds import speechlike

    folder = tmp_path / "speech"
    folder.mkdir()
    lines = []
    for number, words in enumerate(["hello", "...", "<SIL>", "good bye"]):
        (folder / f"{number}.wav").write_bytes(sound_file("wav", speechlike(1.0, 16_000), 16_000))
        lines.append(json.dumps({"audio_filepath": f"{number}.wav", "text": words}) + "\n")
    (folder / "list.jsonl").write_text("".join(lines))
    call("sources", "add", folder, "--name", "made", "--out", tmp_path / "made.yaml")
    _, said = check(tmp_path)
    assert said["records"]["rules"]["empty_transcript"]["count"] == 1
    assert said["records"]["unwanted"] == 1, "a garbage tag is chosen out, and nobody's fault"
    assert said["media"]["ranges"]["sounds, seconds"][0] == pytest.approx(1.0)
    assert said["estimate"]["unit"] == "hours"


def test_a_plain_answer_ends_on_a_verdict(tmp_path: Path) -> None:
    made(tmp_path, asks(3), 3)
    done = call("sources", "check", tmp_path / "made.yaml")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-1] == "fine, within the card's tolerance of 1.0%"
    made(tmp_path, asks(3), 0)
    for path in (tmp_path / "made/images").iterdir():
        path.unlink()
    done = call("sources", "check", tmp_path / "made.yaml")
    assert done.exit_code == 1 and done.stdout.splitlines()[-1].startswith("wrong: 1 thing")


@pytest.mark.parametrize("arguments", [["nobody"], ["sharegpt4v", "--mixture", "papper"], []])
def test_a_wrong_call_has_status_2(arguments: list[str]) -> None:
    assert call("sources", "check", *arguments).exit_code == 2


def _large_array(path: Path, records: int) -> None:
    with open(path, "w") as stream:
        stream.write("[")
        for number in range(records):
            stream.write(("," if number else "") + json.dumps(record(number, "Q" * 2000, f"A {number}")))
        stream.write("]")


def test_of_a_large_array_only_the_beginning_is_parsed_and_its_records_are_whole(tmp_path: Path) -> None:
    _large_array(tmp_path / "big.json", 12_000)
    assert (tmp_path / "big.json").stat().st_size > 3 * HEAD_BYTES
    (tmp_path / "scratch").mkdir()
    source = Source("llava_json", {}, str(tmp_path), str(tmp_path / "scratch"))
    reading = Reading(source, ["big.json"], 1000)
    found = [each for _, each in reading.records()]
    assert len(found) == 1000 and all(isinstance(each, Native) for each in found)
    assert found == read_all(LlavaJson(LlavaOptions()), tmp_path, "big.json")[:1000]
    (looked,) = reading.looked
    assert looked.length <= HEAD_BYTES < looked.size and not reading.whole
    assert looked.records * looked.size / looked.length == pytest.approx(12_000, rel=0.02)


def test_a_beginning_that_is_too_short_for_the_records_is_made_longer(tmp_path: Path) -> None:
    _large_array(tmp_path / "big.json", 12_000)
    (tmp_path / "scratch").mkdir()
    source = Source("llava_json", {}, str(tmp_path), str(tmp_path / "scratch"))
    reading = Reading(source, ["big.json"], 11_999)
    assert len([1 for _ in reading.records()]) == 11_999


def test_the_place_where_a_beginning_was_cut_is_no_record(tmp_path: Path) -> None:
    rows = [{"id": n, "question": "Q" * 2000, "answer": "A", "split": "test"} for n in range(12_000)]
    (tmp_path / "big.json").write_text(json.dumps(rows))
    (tmp_path / "scratch").mkdir()
    options = {"split_filter": {"split": ("train",)}}
    reading = Reading(
        Source("qa_rows", options, str(tmp_path), str(tmp_path / "scratch")), ["big.json"], 1000
    )
    found = [each for _, each in reading.records()]
    assert {each.error.rule for each in found if isinstance(each, Fault)} == {"other_split"}
    assert len(found) == reading.looked[0].records < 12_000


def test_many_files_are_each_looked_into_a_little(tmp_path: Path) -> None:
    names = [f"{number:02}.jsonl" for number in range(30)]
    for name in names:
        (tmp_path / name).write_text("".join(json.dumps(record(n, "Q", "A")) + "\n" for n in range(100)))
    source = Source("llava_json", {}, str(tmp_path), str(tmp_path))
    reading = Reading(source, names, 80)
    seen = [annotation for annotation, _ in reading.records()]
    assert len(seen) == 80 and len(set(seen)) == 8 and seen[0] == "00.jsonl"
    assert not reading.whole
    every = Reading(source, names, 5000)
    assert len(list(every.records())) == 3000 and every.whole


@pytest.mark.slow
def test_a_large_source_is_checked_in_seconds(tmp_path: Path) -> None:
    made(tmp_path, asks(3), 3)
    (tmp_path / "made/data.jsonl").unlink()
    _large_array(tmp_path / "made/data.json", 60_000)
    change(tmp_path, annotations=["data.json"])
    began = time.monotonic()
    status, said = check(tmp_path)
    assert status == 0 and said["records"]["read"] == 1000
    assert said["estimate"]["records"] == pytest.approx(60_000, rel=0.02)
    assert time.monotonic() - began < 10


def test_a_name_that_is_no_verb_is_a_source_and_options_go_before_or_behind_it() -> None:
    one, two = call("sources", "vctk", "--json"), call("sources", "--json", "vctk")
    assert one.stdout == two.stdout
    (row,) = json.loads(one.stdout)["sources"]
    assert (row["source"], row["hours"], row["unit"]) == ("vctk", 41, "hours")


def test_the_tables_fit_a_hundred_columns_and_all_cards_are_listed() -> None:
    for arguments in ([], ["--all"]):
        shown = call("sources", *arguments).stdout
        assert max(len(line) for line in shown.splitlines()) <= 100
    every = call("sources", "--all").stdout
    assert "44,600 h" in every and "wenetspeech" in every and "4,431,500" in every
    rows = json.loads(call("sources", "--all", "--json").stdout)["sources"]
    cards = Path(__file__).parents[2] / "manifests/sources"
    assert sorted(row["source"] for row in rows) == sorted(path.stem for path in cards.glob("*.yaml"))


def test_a_source_that_is_called_like_a_verb_is_shown_by_its_file(tmp_path: Path) -> None:
    write_source(tmp_path, "check", [record(1, "Q", "A")])
    assert call("sources", "check").exit_code == 2
    shown = call("sources", tmp_path / "check.yaml")
    assert shown.exit_code == 0 and shown.stdout.startswith("check: ")


@pytest.mark.parametrize("arguments", [["sources"], ["sources", "--help"], ["sources", "check", "--help"]])
def test_looking_at_the_sources_loads_no_heavy_library(arguments: list[str]) -> None:
    heavy = ("apache_beam", "torch", "numpy", "pyarrow", "PIL", "av", "soundfile", "fsspec", "ijson")
    program = (
        "import sys\nfrom vita_data.cli.main import main\n"
        f"main({arguments!r}, standalone_mode=False)\n"
        f"print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**ENVIRONMENT, "COLUMNS": "100"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0 and done.stderr.strip() == "[]", done.stderr


@pytest.mark.corpus
def test_real_corpora_in_their_publishers_folders_are_within_their_cards(corpus: Path) -> None:
    for name in ("ljspeech", "aishell-3", "gigaspeech"):
        done = call("sources", "check", name, "--data-root", corpus / "speech", "--json")
        said = json.loads(done.stdout)
        assert done.exit_code == (name == "gigaspeech" and not said["ok"]), (name, said["wrong"])
        assert said["records"]["read"] > 0
    assert os.path.isdir(corpus)
