"""Old riddles in words of our own, English and Chinese: a benchmark of pure text, as rows of JSON."""

from __future__ import annotations

import json
from pathlib import Path

PUZZLES = "sample-puzzles"
FOLDER, FILE = "SamplePuzzles", "puzzles.json"
# id -> (question, answer)
RIDDLES: dict[str, tuple[str, str]] = {
    "snail": (
        "A snail climbs three feet up the wall of a well by day and slides two feet back by night; the well is ten "
        "feet deep, so on which day does the snail get out?",
        "On the eighth day.",
    ),
    "ferry": (
        "A farmer must bring a wolf, a goat and a cabbage over a river in a boat that holds only one of them beside "
        "himself: how many times does he cross the water at least?",
        "Seven times.",
    ),
    "lamps": (
        "Three switches in the cellar belong to three lamps in the attic, and you may climb the stairs only once: how "
        "do you find out which switch belongs to which lamp?",
        "Leave one on for a while, turn it off, turn on the next, and feel which dark lamp is warm.",
    ),
    "bricks": (
        "A brick weighs as much as a pound and half a brick, and a second brick weighs just the same: what do both of "
        "them weigh together on the kitchen scales?",
        "Four pounds.",
    ),
    "oranges": (
        "Two mothers and two daughters share three oranges so that each of them gets a whole one and none is left "
        "over: how can that be?",
        "They are a grandmother, her daughter and her granddaughter.",
    ),
    "socks": (
        "In a drawer lie ten brown socks and ten grey socks, the room is dark, and you want one matching pair: how "
        "many socks do you have to take out at least?",
        "Three.",
    ),
    "lily": (
        "A lily doubles the part of the pond that it covers every single day and covers all of it on day thirty: on "
        "which day was half of the pond covered?",
        "On day twenty-nine.",
    ),
    "dozen": ("What is half of a baker's dozen?", "Six and a half."),
    "蜗牛": (
        "一只蜗牛从十米深的井底往上爬，白天爬三米，夜里滑下两米，请问它第几天能够爬出井口？",
        "第八天。",
    ),
    "渡河": (
        "农夫带着一只狼、一只羊和一棵白菜过河，小船除了他自己只能再装一样，他最少要渡几次河？",
        "七次。",
    ),
    "竹竿": (
        "一根竹竿插进池塘的淤泥里，泥中占四分之一，水中占一半，露出水面的部分正好是一米，竹竿有多长？",
        "四米。",
    ),
    "半打": ("半打鸡蛋是几个？", "六个。"),
}


def write_puzzles(folder: Path) -> None:
    """Writes the benchmark into its place below a folder."""
    rows = [{"id": name, "question": asked, "answer": answer} for name, (asked, answer) in RIDDLES.items()]
    (folder / FOLDER).mkdir()
    (folder / FOLDER / FILE).write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")
