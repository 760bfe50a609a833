"""The command: what machines read, what people see, and what its exit status means."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.factories import (
    ENVIRONMENT,
    command,
    picture_source,
    record,
    vita_data,
    write_mixture,
    write_source,
)
from vita_data.cli.main import VERBS, main
from vita_data.cli.output import for_terminal
from vita_data.records.canon import canonical_bytes
from vita_data.shards.tar import TarWriter

TOTALS = [
    ("1.1", [], 919_740),
    ("1.2", [], 4_598_700),
    ("1.3", [], 18_454_200),
    ("1.3", ["--no-pure-text"], 16_880_000),
    ("2.2", [], 3_690_840),
]


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def one_object(text: str) -> dict[str, Any]:
    """The JSON object of standard output, which holds nothing else."""
    assert text.endswith("}\n") and text.count("\n") == 1
    value = json.loads(text)
    assert isinstance(value, dict)
    return value


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus, a mixture, and what `build --json` and its plain run printed."""
    home = tmp_path_factory.mktemp("cli")
    picture_source(home, "asks", 30)
    write_source(home, "words", [record(n, f"Say {n}.", f"{n}.") for n in range(30)], scenario="Pure Text")
    write_mixture(home, {"asks": "all", "words": "all"})
    (home / "done.json").write_text(json.dumps(_output(vita_data(*_build(home), "--json"))))
    return home


def _build(home: Path) -> list[object]:
    return ["build", "--stage", "1.3", "--mixture", home / "test.yaml", "--out", home / "out", "--workers", 1]


def _output(done: subprocess.CompletedProcess[str]) -> list[Any]:
    return [done.returncode, done.stdout, done.stderr]


def test_help_names_every_verb_and_every_verb_has_help() -> None:
    told = call("--help")
    assert told.exit_code == 0
    for verb in VERBS:
        assert f"\n  {verb} " in told.stdout
        said = call(verb, "--help")
        assert said.exit_code == 0
        assert "--json" in said.stdout
        assert call(verb, "-h").stdout == said.stdout


def test_the_version_is_told() -> None:
    assert re.search(r"version \d+\.\d+\.\d+\n", call("--version").stdout)


@pytest.mark.parametrize(("stage", "flags", "questions"), TOTALS)
def test_the_plans_of_the_paper_are_those_of_table_1(stage: str, flags: list[str], questions: int) -> None:
    said = one_object(call("plan", "--stage", stage, "--mixture", "paper", "--json", *flags).stdout)
    assert {"stage", "mixture", "sources", "total"} <= set(said)
    assert {"questions", "hours"} <= set(said["total"])
    assert said["total"]["questions"] == questions == sum(line["questions"] for line in said["sources"])
    for line in said["sources"]:
        assert {
            "source",
            "unit",
            "basis",
            "asked",
            "samples",
            "questions",
            "tokens",
            "bytes",
            "hours",
        } <= set(line)
        assert (line["basis"], line["asked"]) == ("card", line["questions"])


def test_a_plan_after_a_build_says_what_the_stage_got(home: Path) -> None:
    said = one_object(
        call(
            "plan", "--stage", "1.3", "--mixture", home / "test.yaml", "--out", home / "out", "--json"
        ).stdout
    )
    assert [line["basis"] for line in said["sources"]] == ["catalog", "catalog"]
    totals = json.loads((home / "out/stages/1.3/stage.json").read_text())["totals"]
    for figure in ("questions", "samples"):
        assert said["total"][figure] == totals[figure] > 0
    assert said["total"]["tokens"] == totals["text_tokens"] + totals["visual_tokens"]


def test_a_plan_for_people_is_a_table_with_a_total() -> None:
    told, options = call("plan", "--stage", "1.1").stdout.split("\n\n")
    lines = told.splitlines()
    assert options.startswith("options, each taken with --option NAME:\n  stage    public-script")
    assert lines[0].split()[:4] == ["source", "unit", "basis", "asked"]
    assert lines[-1].startswith("total") and "919,740" in lines[-1]


def test_a_build_prints_one_object_and_plain_lines_of_progress(home: Path) -> None:
    status, out, progress = json.loads((home / "done.json").read_text())
    said = one_object(out)
    assert status == 0
    assert {"stage", "out", "samples", "questions", "hours", "shards", "bytes", "rejected"} <= set(said)
    assert (said["stage"], said["out"], said["shards"]) == ("1.3", str(home / "out"), 1)
    assert said["samples"] == 54 and said["rejected"] == 0
    assert "\r" not in progress and "\x1b" not in progress
    assert [line for line in progress.splitlines() if line.startswith("writing shards: ")]


def test_a_terminal_gets_a_bar_with_rate_and_time_left(home: Path, tmp_path: Path) -> None:
    leader, follower = pty.openpty()
    calling = [str(each) for each in _build(home)]
    calling[calling.index("--out") + 1] = str(tmp_path / "out")
    with subprocess.Popen(
        command(*calling), env=ENVIRONMENT, stderr=follower, stdout=subprocess.PIPE
    ) as process:
        os.close(follower)
        shown = b""
        while True:
            try:
                shown += (block := os.read(leader, 4096))
            except OSError:
                break
            if not block:
                break
    os.close(leader)
    assert process.returncode == 0
    assert b"\r\x1b[2K" in shown
    assert b"/s  " in shown and b"[" in shown


def test_a_build_that_is_done_says_what_is_there_in_words(home: Path) -> None:
    done = vita_data(*_build(home))
    assert done.returncode == 0
    assert "stage 1.3 is built: 54 samples with 54 questions in 1 shard (" in done.stdout
    assert "6 samples held out from training" in done.stdout
    assert done.stderr.endswith("was built before, and nothing has changed since\n")


def test_prove_why_show_and_the_cards_each_print_one_object(home: Path) -> None:
    said = one_object(call("prove", home / "out/stages/1.3", "--json").stdout)
    assert {"ok", "sources", "errors"} <= set(said)
    assert {"source", "unit", "asked", "planned", "written"} <= set(said["sources"][0])
    told = one_object(call("why", "asks3", "--out", home / "out", "--json").stdout)
    assert {"key", "source", "kept", "step", "rule", "value", "threshold", "message", "location"} <= set(told)
    shown = one_object(call("show", told["key"], "--out", home / "out", "--json").stdout)
    assert shown["records"][0]["id"] == told["key"]
    assert one_object(call("sources", "--json").stdout)["sources"]
    stages = {row["stage"] for row in one_object(call("stages", "--json").stdout)["stages"]}
    assert {"1.1", "1.2", "1.3", "2.2", "3.1", "3.2"} <= stages
    packs = one_object(call("pack", home / "out/stages/1.3", "--json").stdout)
    assert packs["count"] > 0


@pytest.mark.parametrize("number", [1, 3, 200])
def test_show_prints_the_first_records_of_a_shard(home: Path, number: int) -> None:
    tar = home / "out/stages/1.3/shards/00000.tar"
    said = one_object(call("show", tar, "-n", number, "--json").stdout)
    assert len(said["records"]) == min(number, 54)
    text = call("show", tar, "-n", number).stdout
    assert text.count("CC0-1.0, native id") == min(number, 54)
    assert "human: " in text and "gpt: " in text


def test_show_tells_the_split_and_the_speaker_where_they_are_known(tmp_path: Path) -> None:
    facts = {"type": "asr", "language": "en", "licence": "CC0-1.0", "native_id": 1, "conversations": []}
    facts |= {"spoken": [], "split": "train-clean-100", "speaker": "p\x1b[2J225"}
    known, unknown = {**facts, "id": "known"}, {**facts, "id": "unknown", "split": None, "speaker": None}
    with (tmp_path / "a.tar").open("wb") as stream:
        tar = TarWriter(stream)
        for each in (known, unknown):
            tar.add(f"{each['id']}.json", canonical_bytes(each))
        tar.close()
    first, second = call("show", tmp_path / "a.tar").stdout.split("unknown")
    assert "\n  split train-clean-100, speaker p\ufffd[2J225\n" in first
    assert "split" not in second and "speaker" not in second
    said = one_object(call("show", tmp_path / "a.tar", "--json").stdout)["records"]
    assert [(each["split"], each["speaker"]) for each in said] == [
        ("train-clean-100", "p\x1b[2J225"),
        (None, None),
    ]


def test_nothing_in_a_corpus_commands_the_terminal() -> None:
    assert for_terminal("红 \x1b[2J\x07\x9b31m é\n\tb") == "红 \ufffd[2J\ufffd\ufffd31m é\n\tb"


def test_a_plan_takes_a_named_alternative_of_the_stage(tmp_path: Path) -> None:
    (tmp_path / "stages").mkdir()
    card = (Path(__file__).parents[2] / "manifests/stages/1.1.yaml").read_text()
    option = "options:\n  half: {reason: A laptop, shares: {caption: 0.1}}\n"
    (tmp_path / "stages/1.1.yaml").write_text(card.replace("options:\n", option, 1))
    call_it = ("plan", "--stage", "1.1", "--manifests", tmp_path, "--json")
    assert one_object(call(*call_it, "--option", "half").stdout)["total"]["questions"] == 459_870
    assert one_object(call(*call_it).stdout)["total"]["questions"] == 919_740
    assert "has an option quarter; the stage has half, " in call(*call_it, "--option", "quarter").stderr


HOME_MIXTURE = "--mixture {home}/test.yaml"
WRONG = [
    ("plan --stage 9.9", 2, "no stage card 9.9"),
    ("plan --stage 1.1 --mixture papper", 2, "write paper"),
    ("plan", 2, "--stage"),
    ("bulid", 2, "No such command"),
    ("build --stage 1.3 --mixture {tmp}/none.yaml --out {tmp}", 2, "no such file"),
    (
        "build --stage 1.3 --mixture paper --out {tmp} --data-root {tmp}",
        1,
        "24 of 24 sources of mixture paper are not there",
    ),
    (f"build --stage 1.3 --runner portable --out {{home}}/new {HOME_MIXTURE}", 2, "--job-endpoint"),
    (f"build --stage 1.3 --seed 1 {HOME_MIXTURE} --out {{home}}/out", 2, "another --out"),
    ("prove {tmp}", 1, "no finished build"),
    ("pack {tmp}", 1, "no finished build"),
    ("why nobody --out {home}/out", 2, "no sample of"),
    ("show nobody-0 --out {home}/out", 2, "keeps nobody-0"),
    ("show {tmp}/none.tar", 1, "there is no shard"),
    ("show {home}/test.tar", 1, "tar header"),
]


@pytest.mark.parametrize(("arguments", "status", "words"), WRONG)
def test_what_is_wrong_is_one_line_with_its_exit_status(
    home: Path, tmp_path: Path, arguments: str, status: int, words: str
) -> None:
    (home / "test.tar").write_bytes(b"no tar" * 200)
    done = vita_data(*(each.format(tmp=tmp_path, home=home) for each in arguments.split()))
    assert (done.returncode, done.stdout) == (status, ""), done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["plan", "--stage", "1.3", "--mixture", "paper"]])
def test_looking_at_help_and_plans_loads_no_heavy_library(arguments: list[str]) -> None:
    heavy = ("apache_beam", "torch", "numpy", "pyarrow", "PIL", "tiktoken", "fsspec", "transformers")
    program = (
        "import sys\nfrom vita_data.cli.main import main\n"
        f"main({arguments!r}, standalone_mode=False)\n"
        f"print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=ENVIRONMENT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0
    assert done.stderr.strip() == "[]"
