"""The plan of the proof holds together, and its yardstick and its page say what was measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from vita_data.errors import UsageError
from vita_model.proof.baseline import score_baseline
from vita_model.proof.goals import rows_of
from vita_model.proof.plan import Proof, tasks_of
from vita_model.proof.program import speakers_of

PEOPLE = ("ann", "bob")


def test_every_task_waits_for_tasks_that_are_there_and_none_for_itself(tmp_path: Path) -> None:
    for speakers in ((), PEOPLE):
        tasks = tasks_of(Proof(tmp_path, tmp_path if speakers else None, speakers))
        names = [task.name for task in tasks]
        assert len(set(names)) == len(names)
        done: set[str] = set()
        waiting = list(tasks)
        while waiting:
            ready = [task for task in waiting if set(task.after) <= done]
            assert ready, f"{[task.name for task in waiting]} wait for one another"
            done |= {task.name for task in ready}
            waiting = [task for task in waiting if task.name not in done]


def test_two_tasks_write_no_file_twice(tmp_path: Path) -> None:
    tasks = tasks_of(Proof(tmp_path, tmp_path, PEOPLE))
    assert len({task.writes for task in tasks}) == len(tasks)


def test_the_yardstick_tells_tones_apart_and_is_lost_where_there_is_only_noise(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for folder, speaker in (("learned", "ann"), ("unseen", "bob"), ("noise", "eve")):
        (tmp_path / folder).mkdir()
        for digit in range(10):
            for take in range(4):
                tone = np.sin(2 * np.pi * (300 + 250 * digit) * np.arange(4800) / 16000)
                sound = random.normal(0, 1, 4800) if folder == "noise" else tone + random.normal(0, 0.1, 4800)
                soundfile.write(tmp_path / folder / f"{digit}_{speaker}_{take}.flac", sound / 8, 16000)
    told = score_baseline(tmp_path / "learned", tmp_path / "unseen", tmp_path / "told.json")
    assert told["errors"] == 0.0 and told["clips"] == 40
    lost = score_baseline(tmp_path / "learned", tmp_path / "noise", tmp_path / "lost.json")
    assert lost["errors"] > 0.7
    assert json.loads((tmp_path / "lost.json").read_text())["right"] == lost["right"]


def _answers(folder: Path, rows: list[tuple[str, bool]]) -> None:
    folder.mkdir(parents=True)
    lines = [
        {"key": f"k{n}", "turn": 1, "asked": "written", "question": question, "right": right}
        for n, (question, right) in enumerate(rows)
    ]
    (folder / "answers.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "eval.json").write_text(json.dumps({"total": {}}))


def test_a_goal_is_met_or_missed_by_what_was_answered(tmp_path: Path) -> None:
    proof = Proof(tmp_path, None, ())
    right = [("Which digit is this?", True)] * 97 + [("Is it 7?", False)] * 3
    _answers(proof.score("seen-1.3").parent, right)
    _answers(proof.score("seen-2.2").parent, [(question, n > 9) for n, (question, _) in enumerate(right)])
    rows = {row.name: row for row in rows_of(proof)}
    whole = rows["pictures, all questions written, after 1.3"]
    assert (whole.value, whole.count, whole.met) == (0.97, 100, True)
    assert rows["  yes or no, after 1.3"].value == 0.0
    lost = rows["written questions, 2.2 minus 1.3 (forgetting)"]
    assert lost.value == pytest.approx(-0.07)
    assert lost.interval is not None and lost.interval[0] < -0.07 < lost.interval[1]


def test_a_folder_without_recordings_names_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Free Spoken Digit Dataset"):
        speakers_of(tmp_path)
    assert speakers_of(None) == ()
    (tmp_path / "3_ann_0.wav").touch()
    (tmp_path / "4_bob_0.wav").touch()
    assert speakers_of(tmp_path) == PEOPLE
