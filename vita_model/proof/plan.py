"""What the proof does: corpora, the stages, other speakers, questions that nobody trained with.

OUT/corpus, OUT/base                digits; a language model and a tower to start from
OUT/sound, OUT/main                 the stages that need no other one, 2.1a and 3.1; the rest of the seven
OUT/unseen/<speaker>/               stage 2.1 once more without one speaker
OUT/test                            builds to test with
OUT/scores/<name>/                  eval.json and answers.jsonl of every model and test
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from manifests import ROOT
from vita_model.proof.baseline import score_baseline
from vita_model.proof.speaking import TABLE, round_trips, speak_texts
from vita_model.proof.tasks import Task, command
from vita_model.proof.tower import train_tower
from vita_model.train.folder import EVAL

CARDS = ROOT / "proof"
PRESET = "proof"
STRINGS = 600
STAGES = ("1.1", "1.2", "1.3", "2.1a", "2.1b", "2.2", "3.1", "3.2")
SEEN = ("1.1", "1.2", "1.3", "2.2")  # whose checkpoints are asked about pictures
SOUND = (
    "2.1a",
    "3.1",
)  # one run at a time writes to a folder: in their own these are learned beside the others
TOWER_EPOCHS = 20
SPOKEN = tuple(
    f"{first} {second} {third}" for first in range(10) for second, third in ((4, 7), (9, 0), (2, 5))
)
SPOKEN_ONES = tuple(str(digit) for digit in range(10)) * 2


@dataclass(frozen=True)
class Proof:
    """What is asked: where it goes, the recordings (None: the engine's voices), who is left out in turn.

    `scale` is a part of the corpus, `max_steps` ends every training early: a quick one shows that all runs.
    """

    out: Path
    speech: Path | None
    speakers: tuple[str, ...]
    scale: float = 1.0
    max_steps: int | None = None

    def score(self, name: str) -> Path:
        """Where the results of a test lie."""
        return self.out / "scores" / name / EVAL

    def home(self, stage: str) -> Path:
        """The folder in which a stage is built, trained and scored."""
        return self.out / ("sound" if stage in SOUND else "main")

    def run(self, stage: str) -> Path:
        """The run of a stage."""
        return self.home(stage) / "runs" / stage

    def trained(self, stage: str) -> Path:
        """What says that a stage is trained, and from what."""
        return self.home(stage) / "run" / f"train-{stage}.json"


def tasks_of(proof: Proof) -> list[Task]:
    """All of it, the longest way first."""
    return [*_start(proof), *_stages(proof), *_unseen(proof), *_tests(proof), *_voices(proof)]


def _python(*words: object) -> tuple[str, ...]:
    return tuple(map(str, (sys.executable, "-m", *words)))


def _commanded(
    name: str, words: tuple[str, ...], after: tuple[str, ...], reads: tuple[Path, ...], writes: Path
) -> Task:
    return Task(name, command, (words,), after, reads, writes)


def _digits(proof: Proof, folder: Path, *more: str) -> tuple[str, ...]:
    speech = () if proof.speech is None else ("--speech", proof.speech)
    return _python("vita_data", "digits", folder, *speech, "--scale", proof.scale, *more)


def _run(proof: Proof, card: str, corpus: Path, out: Path, *more: object) -> tuple[str, ...]:
    steps = () if proof.max_steps is None else ("--max-steps", proof.max_steps)
    limit = ("--limit", 20)
    words = ("--mixture", CARDS / card, "--preset", PRESET, "--data-root", corpus, "--out", out)
    return _python(
        "vita_model",
        "run",
        *words,
        "--workers",
        1,
        "--allow-short",
        *steps,
        *limit,
        *more,
        "--",
        "--eval-samples",
        0,
    )


def _build(proof: Proof, stage: str, card: str, out: Path) -> tuple[str, ...]:
    words = ("--stage", stage, "--mixture", CARDS / card, "--data-root", proof.out / "corpus", "--out", out)
    return _python("vita_data", "build", *words, "--workers", 1, "--allow-short")


def _cards() -> tuple[Path, ...]:
    return tuple(sorted(CARDS.rglob("*.yaml")))


def _start(proof: Proof) -> Iterator[Task]:
    """The corpus, and what stage 1.1 starts from."""
    corpus, facts = proof.out / "corpus", proof.out / "corpus" / "corpus.json"
    yield _commanded("corpus", _digits(proof, corpus), (), (), facts)
    base = proof.out / "base"
    yield _commanded(
        "words",
        _run(proof, "base.yaml", corpus, base, "--stages", "0.1"),
        ("corpus",),
        (facts, *_cards()),
        base / "eval" / "0.1" / EVAL,
    )
    main = proof.out / "main" / "data"
    built = main / "stages" / "1.3" / "stage.json"
    yield _commanded(
        "pictures", _build(proof, "1.3", "proof.yaml", main), ("corpus",), (facts, *_cards()), built
    )
    tower = base / "tower"
    epochs = TOWER_EPOCHS if proof.max_steps is None else 1
    yield Task(
        "tower",
        train_tower,
        (str(built.parent), PRESET, base / "runs" / "0.1", tower, epochs),
        ("words", "pictures"),
        (built, base / "run" / "train-0.1.json"),
        tower / EVAL,
    )


def _stages(proof: Proof) -> Iterator[Task]:
    corpus, base = proof.out / "corpus", proof.out / "base" / "tower"
    reads = (corpus / "corpus.json", *_cards())
    seeing, hearing = "1.1-1.3", "1.1-1.3,2.1b-2.2"
    for name, last, stages, learned, before in (
        ("seeing", "1.3", seeing, (), ("tower",)),
        ("hearing", "2.2", hearing, ("2.1a",), ("seeing", "encoder")),
        ("speaking", "3.2", f"{hearing},3.2", SOUND, ("hearing", "codec")),
    ):
        starts = [word for start in (base, *map(proof.run, learned)) for word in ("--init", start)]
        words = _run(proof, "proof.yaml", corpus, proof.home(last), "--stages", stages, *starts)
        made = (*reads, base / EVAL, *map(proof.trained, learned))
        yield _commanded(name, words, before, made, proof.home(last) / "eval" / last / EVAL)
    for name, stage, after in ("encoder", "2.1a", "corpus"), ("codec", "3.1", "encoder"):
        words = _run(proof, "proof.yaml", corpus, proof.home(stage), "--stages", stage)
        yield _commanded(name, words, (after,), reads, proof.home(stage) / "eval" / stage / EVAL)


def _unseen(proof: Proof) -> Iterator[Task]:
    """Stage 2.1 without each speaker in turn, scored on that speaker beside the yardstick."""
    for speaker in proof.speakers:
        home = proof.out / "unseen" / speaker
        corpus, facts = home / "corpus", home / "corpus" / "corpus.json"
        words = _digits(proof, corpus, "--speech-only", "--leave-out", speaker)
        yield _commanded(f"corpus without {speaker}", words, (), (), facts)
        yield _commanded(
            f"encoder without {speaker}",
            _run(proof, "proof.yaml", corpus, home, "--stages", "2.1a"),
            (f"corpus without {speaker}",),
            (facts, *_cards()),
            home / "eval" / "2.1a" / EVAL,
        )
        trained = home / "eval" / "2.1b" / EVAL
        yield _commanded(
            f"adapter without {speaker}",
            _run(proof, "proof.yaml", corpus, home, "--stages", "2.1", "--init", proof.run("1.3")),
            (f"encoder without {speaker}", "seeing"),
            (facts, proof.trained("1.3"), *_cards()),
            trained,
        )
        clips = corpus / "test" / "unseen"
        yield _heard(
            proof, f"unseen-{speaker}", home / "runs" / "2.1b", clips, f"adapter without {speaker}", trained
        )
        yardstick = proof.out / "scores" / f"yardstick-{speaker}.json"
        yield Task(
            f"yardstick {speaker}",
            score_baseline,
            (corpus / "test" / "learned", clips, yardstick),
            (f"corpus without {speaker}",),
            (facts,),
            yardstick,
        )


def _heard(
    proof: Proof, name: str, run: Path, clips: Path, after: str, trained: Path, strings: int = STRINGS
) -> Task:
    drawn = ("--strings", strings) if strings else ()
    words = ("eval", run, "--speech", clips, *drawn, "--out", proof.score(name).parent)
    return _commanded(f"test {name}", _python("vita_model", *words), (after,), (trained,), proof.score(name))


def _tests(proof: Proof) -> Iterator[Task]:
    """Questions that nobody trained with, to every checkpoint that could know an answer."""
    test, facts = proof.out / "test", proof.out / "corpus" / "corpus.json"
    for stage in ("1.3", "2.2", "3.1"):
        built = test / "stages" / stage / "stage.json"
        words = _build(proof, stage, "test.yaml", test)
        before = {"1.3": "corpus", "2.2": "test build 1.3", "3.1": "test build 2.2"}[stage]
        yield _commanded(f"test build {stage}", words, (before,), (facts, *_cards()), built)
    for stage in SEEN:
        yield _asked(proof, f"seen-{stage}", stage, "1.3")
    yield _asked(proof, "seen-1.3-blank", "1.3", "1.3", "--without", "sight")
    yield _asked(proof, "spoken-2.2", "2.2", "2.2")
    yield _asked(proof, "spoken-2.2-silent", "2.2", "2.2", "--without", "sound")
    yield _asked(proof, "spoken-2.2-blank", "2.2", "2.2", "--without", "sight")
    known = proof.out / "corpus" / "test" / "known"
    for stage in ("2.1a", "2.1b"):  # after 2.2 speech is a question and is answered
        after = "encoder" if stage in SOUND else "hearing"
        yield _heard(proof, f"known-{stage}", proof.run(stage), known, after, proof.trained(stage))


def _asked(proof: Proof, name: str, trained: str, stage: str, *more: str) -> Task:
    words = ("eval", proof.run(trained), "--data", proof.out / "test", "--stage", stage, "--part", "all")
    built = proof.out / "test" / "stages" / stage / "stage.json"
    return _commanded(
        f"test {name}",
        _python("vita_model", *words, "--out", proof.score(name).parent, *more),
        ("seeing" if trained in ("1.1", "1.2", "1.3") else "hearing", f"test build {stage}"),
        (proof.trained(trained), built),
        proof.score(name),
    )


def _voices(proof: Proof) -> Iterator[Task]:
    """What is spoken, and the codec's round trip, written down by a recogniser that was trained apart."""
    run, out = proof.run("3.2"), proof.out / "spoken"
    made = proof.trained("3.2")
    yield Task(
        "say",
        speak_texts,
        (run, SPOKEN_ONES + SPOKEN, out / "said"),
        ("speaking",),
        (made,),
        out / "said" / TABLE,
    )
    stage = proof.out / "test" / "stages" / "3.1"
    yield Task(
        "round trips",
        round_trips,
        (run, stage, out),
        ("speaking", "test build 3.1"),
        (made, stage / "stage.json"),
        out / "coded" / TABLE,
    )
    if not proof.speakers:
        return
    listener = proof.speakers[-1]  # the voice that speaks is the first, so this one has learned it
    ear = proof.out / "unseen" / listener / "runs" / "2.1b"
    trained = proof.out / "unseen" / listener / "run" / "train-2.1b.json"
    for name, after in ("said", "say"), ("plain", "round trips"), ("coded", "round trips"):
        task = _heard(proof, f"voice-{name}", ear, out / name, after, trained, strings=0)
        yield Task(
            task.name,
            task.work,
            task.arguments,
            (*task.after, f"adapter without {listener}"),
            (*task.reads, out / name / TABLE),
            task.writes,
        )
