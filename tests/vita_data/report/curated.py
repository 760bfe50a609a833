"""A small build in which samples leave for others and over benchmarks, for the sections that show why."""

from __future__ import annotations

import base64
import csv
import io
import json
import random
from pathlib import Path
from typing import Any

from PIL import Image

from tests.factories import record, run_build, write_mixture, write_source

STORY = (
    "The harbour wakes before the sun. Boats come in one after the other, and on the quay women in long coats count "
    "the baskets, write numbers into small books and shout prices across the water. By nine all is sold. Then the "
    "cats come, the gulls, a boy with a broom, and for an hour it is so quiet that one hears the ropes creak."
)
LONG = "How many of the red boats in the old harbour carry more than three baskets of fish at noon?"
RIDDLE = (
    "A train leaves the northern station at seven with forty passengers, at every stop five more get on than get "
    "off, and there are six stops: with how many passengers does it arrive at the last station?"
)
HOSTILE = "<script>creak</script>"


def scene(seed: int, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """Coloured clouds: something to see, and nothing like another seed."""
    small = Image.frombytes("RGB", (16, 12), random.Random(seed).randbytes(3 * 16 * 12))
    return small.resize(size, Image.Resampling.BICUBIC)


def write_corpus(home: Path) -> None:
    """Pictures and texts, some of them equal, some nearly, some a benchmark's, some refused by a rule."""
    folder = home / "asks"
    folder.mkdir(parents=True)
    for number in range(20):
        scene(number).save(folder / f"{number}.png")
    scene(7, (240, 180)).save(folder / "again.jpg", quality=60)
    scene(101, (240, 180)).save(folder / "both.jpg", quality=55)
    scene(102).resize((900, 200)).save(folder / "wide.png")
    told = [record(f"a{n}", f"What is on picture {n}?", f"Cloud {n}. {STORY}", f"{n}.png") for n in range(20)]
    told += [record(f"copy{n}", "What is on picture 3?", f"Cloud 3. {STORY}", "3.png") for n in range(5)]
    told += [record("again", "What is on picture 7?", f"Cloud 7. {STORY}", "again.jpg")]
    told += [record("both", LONG, "Seven.", "both.jpg"), record("question", LONG, "Seven.", "5.png")]
    told += [record("wide", "Is it wide?", "It is.", "wide.png")]
    told += [record("sorry", "What is that?", "I'm sorry, but I can't assist with that request.", "9.png")]
    write_source(home, "asks", told)
    texts = [record(f"t{n}", f"What is {n} times {n}?", f"It is {n * n}.") for n in range(20)]
    texts += [record("story", "Tell me about a harbour.", STORY)]
    texts += [record("changed", "Tell me about a harbour.", STORY.replace("creak", HOSTILE))]
    texts += [record("riddle", f"Here is one for you. {RIDDLE} Think.", "Seventy.")]
    write_source(home, "texts", texts, scenario="Pure Text")
    write_benchmark(home, "quiz", [("What can be seen?", scene(100)), (LONG, scene(101))])
    write_benchmark(home, "riddles", [(RIDDLE, None)], kind="text", picture_alone=False)
    write_benchmark(home, "calm", [("Is the sea as calm tonight as it was in the spring?", scene(500))])


def write_benchmark(home: Path, name: str, rows: list[tuple[str, Image.Image | None]], **card: Any) -> None:
    """A benchmark of the kind that VLMEvalKit reads, with its card beside the mixture."""
    text = io.StringIO()
    table = csv.writer(text, delimiter="\t", lineterminator="\n")
    table.writerow(["index", "image", "question", "answer"])
    for number, (question, picture) in enumerate(rows):
        stream = io.BytesIO()
        if picture is not None:
            picture.save(stream, "PNG")
        table.writerow([number, base64.b64encode(stream.getvalue()).decode(), question, "7"])
    for folder in ("sets", "benchmarks"):
        (home / folder).mkdir(exist_ok=True)
    (home / "sets" / f"{name}.tsv").write_text(text.getvalue(), encoding="utf-8")
    facts = {
        "benchmark": name,
        "title": f"The {name}",
        "kind": "image",
        "language": "en",
        "licence": "CC0-1.0",
        "get": "made by a test",
        "root": ".",
        "adapter": "vlmeval_tsv",
        "annotations": [f"{name}.tsv"],
        "options": {},
        "picture_alone": True,
        **card,
    }
    (home / "benchmarks" / f"{name}.yaml").write_text(json.dumps(facts), encoding="utf-8")


def build_page(home: Path, out: str, curate: bool = True, **settings: Any) -> str:
    """The report of stage 1.3 of the corpus."""
    card = {"benchmarks": ["quiz", "riddles", "calm"]} if "against" in settings else {}
    mixture = write_mixture(home, {"asks": "all", "texts": "all"}, out, curate=curate, **card)
    run_build(mixture, home / out, **settings)
    return (home / out / "stages" / "1.3" / "report.html").read_text(encoding="utf-8")
