"""A function of one's own as an engine: what it does to its process costs a question, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from vita_data.errors import RecordError, UsageError, VitaError
from vita_data.speech import function
from vita_data.speech.function import Function, end_functions

# What it does is what it is given; `seen` counts the calls of this very process.
MODULE = """
import ctypes, os, sys, time
seen = 0

def act(text, language, voice, speed):
    global seen
    seen += 1
    if text == "exit":
        os._exit(3)
    if text == "segfault":
        ctypes.string_at(0)
    if text == "leave":
        sys.exit("enough")
    if text == "hang":
        time.sleep(600)
    if text == "second" and seen == 2:
        os._exit(4)
    if text == "talk":
        print("noise on standard output", flush=True)
        os.write(1, b"more of it")
        assert sys.stdin.read() == ""
    if text == "much":
        return b"x" * 3_000_000
    return f"{text} {language} {voice} {speed} {os.getpid()}".encode()
"""


@pytest.fixture
def act(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Function]:
    (tmp_path / "acting.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield Function("acting:act", None)
    end_functions()


def process_of(said: bytes) -> int:
    return int(said.split()[-1])


def test_a_function_is_asked_in_one_process_that_stays(act: Function) -> None:
    first, second = (act.speak(text, "zh", "l i n", 170) for text in ("\u4f60\u597d\n", "again"))
    assert second.startswith(b"again zh l i n 170 ")
    assert process_of(first) == process_of(second) != os.getpid()
    assert act.speak("much", "en", "x", 1) == b"x" * 3_000_000


@pytest.mark.parametrize(("text", "how"), [("exit", "exit status 3"), ("segfault", "SIGSEGV")])
def test_a_function_that_ends_its_process_costs_one_question_and_says_how(
    act: Function, text: str, how: str
) -> None:
    before = process_of(act.speak("a", "en", "x", 1))
    with pytest.raises(RecordError, match=f"ended while it spoke it \\({how}\\)") as caught:
        act.speak(text, "en", "x", 1)
    assert caught.value.rule == "engine_crashed" and caught.value.value == how
    assert process_of(act.speak("b", "en", "x", 1)) != before


def test_what_was_asked_before_does_not_decide_whether_a_question_is_spoken(act: Function) -> None:
    said = [act.speak("second", "en", "x", 1) for _ in range(3)]
    assert len({process_of(each) for each in said}) == 3


def test_a_process_that_was_ended_from_outside_is_started_again(act: Function) -> None:
    process = process_of(act.speak("a", "en", "x", 1))
    os.kill(process, signal.SIGKILL)
    assert process_of(act.speak("b", "en", "x", 1)) != process


def test_a_question_that_takes_too_long_is_given_up(act: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    act.speak("a", "en", "x", 1)
    monkeypatch.setattr(function, "SECONDS", 0.3)
    with pytest.raises(RecordError, match=r"had not spoken it after 0\.3 seconds") as caught:
        act.speak("hang", "en", "x", 1)
    assert caught.value.rule == "engine_timed_out"
    monkeypatch.setattr(function, "SECONDS", 60)
    assert act.speak("b", "en", "x", 1)


def test_what_a_function_prints_is_no_answer_and_it_can_read_nothing(act: Function) -> None:
    assert act.speak("talk", "en", "x", 1).startswith(b"talk en")


def test_a_function_that_exits_or_returns_no_bytes_is_told_in_its_words(act: Function) -> None:
    with pytest.raises(RecordError, match="SystemExit: enough") as caught:
        act.speak("leave", "en", "x", 1)
    assert caught.value.rule == "engine_failed"
    for name, words in (("json:loads", "TypeError"), ("builtins:print", "returned NoneType and not bytes")):
        with pytest.raises(RecordError, match=words):
            Function(name, None).speak("Is it?", "en", "x", 1)


def test_a_function_that_ends_at_all_of_its_first_questions_stops_the_build(act: Function) -> None:
    for _ in range(function.MOST_LOST - 1):
        with pytest.raises(RecordError):
            act.speak("exit", "en", "x", 1)
    with pytest.raises(VitaError, match="not one of its first 10 questions") as caught:
        act.speak("exit", "en", "x", 1)
    assert not isinstance(caught.value, RecordError)


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        ("", "no_such_module:tone", "ModuleNotFoundError"),
        ("x = 1", "loading:tone", "has no attribute 'tone'"),
        ("import os; os._exit(5)", "loading:tone", "exit status 5"),
        ("raise SystemExit('not today')", "loading:tone", "SystemExit: not today"),
    ],
)
def test_a_function_that_cannot_be_loaded_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, name: str, words: str
) -> None:
    (tmp_path / "loading.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UsageError, match=f"engine {name} cannot be loaded .*{words}"):
        Function(name, None).check()


PARENT = """
import sys
from vita_data.speech.function import Function
print(Function("acting:act", None).speak("a", "en", "x", 1).decode(), flush=True)
Function("acting:act", None).speak("hang", "en", "x", 1)
"""


def test_its_process_ends_with_the_one_that_asked(tmp_path: Path) -> None:
    (tmp_path / "acting.py").write_text(MODULE)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, env=environment)
    assert parent.stdout is not None
    child = process_of(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 30
    while _lives(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _lives(child)


def _lives(process: int) -> bool:
    """Whether a process is there and no zombie that nobody has asked about."""
    try:
        status = Path("/proc", str(process), "stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
