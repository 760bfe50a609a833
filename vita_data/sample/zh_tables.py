"""The source sample-tables-zh: drawn Chinese tables with questions on their figures."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random

from vita_data.sample import damage
from vita_data.sample.chance import rng
from vita_data.sample.encode import jpeg, png
from vita_data.sample.fonts import chinese
from vita_data.sample.ledger import Entry, Plant, SourceFacts, spread
from vita_data.sample.native import Turn, conversations, with_image, write_array
from vita_data.sample.tables import Table, draw_table

NAME = "sample-tables-zh"
ANNOTATION = "tables.json"
COUNT = 170
COLOURS = (
    ("#ffffff", "#dbe7f3", "#8a8a8a"),
    ("#fdf8ee", "#efe0c2", "#9a8866"),
    ("#ffffff", "#dff0df", "#777777"),
)
# title, heading of the names, names, other headings, lowest and highest number
TOPICS: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...], int, int], ...] = (
    (
        "期中考试成绩",
        "姓名",
        ("王芳", "李强", "张敏", "刘洋", "陈静", "赵磊"),
        ("语文", "数学", "英语"),
        61,
        100,
    ),
    ("水果店存货", "品名", ("苹果", "香蕉", "西瓜", "葡萄", "橙子", "梨"), ("单价", "箱数"), 3, 60),
    ("各地气温", "城市", ("北京", "上海", "广州", "成都", "西安", "昆明"), ("最高", "最低"), 4, 38),
    ("借书统计", "班级", ("一班", "二班", "三班", "四班", "五班"), ("三月", "四月", "五月"), 12, 95),
    ("运动会得分", "队名", ("红队", "蓝队", "黄队", "绿队", "白队"), ("跑步", "跳远", "接力"), 5, 50),
    ("公交线路", "线路", ("1路", "5路", "12路", "27路", "103路"), ("站数", "分钟"), 8, 75),
)


def draw_figures(random: Random) -> Table:
    """A table on one of the topics, no number twice in a column."""
    title, heading, names, columns, low, high = random.choice(TOPICS)
    chosen = random.sample(names, random.randint(3, len(names)))
    headings = columns[: random.randint(2, len(columns))]
    pools = [random.sample(range(low, high + 1), len(chosen)) for _ in headings]
    if title == "各地气温":
        pools = [
            [max(a, b) + 1 for a, b in zip(*pools, strict=True)],
            [min(a, b) for a, b in zip(*pools, strict=True)],
        ]
    rows = tuple((name, tuple(pool[n] for pool in pools)) for n, name in enumerate(chosen))
    return Table(title, (heading, *headings), rows)


def ask_on(table: Table, random: Random, count: int) -> list[Turn]:
    """`count` questions on the figures, all different in kind."""
    turns = []
    for kind in random.sample(range(6), count):
        column = random.randrange(len(table.columns) - 1)
        heading, numbers = table.columns[column + 1], table.column(column)
        (one, first), (two, second) = random.sample(table.rows, 2)
        turns.append(_ask(kind, table, heading, numbers, (one, first[column]), (two, second[column])))
    return turns


def _ask(
    kind: int, table: Table, heading: str, numbers: list[int], one: tuple[str, int], two: tuple[str, int]
) -> Turn:
    most = "、".join(name for (name, _), n in zip(table.rows, numbers, strict=True) if n == max(numbers))
    least = "、".join(name for (name, _), n in zip(table.rows, numbers, strict=True) if n == min(numbers))
    listed = "、".join(name for name, _ in table.rows)
    higher = "相同" if one[1] == two[1] else f"{one[0] if one[1] > two[1] else two[0]}更高"
    return (
        (f"表中{one[0]}的“{heading}”是多少？", f"{one[1]}。"),
        (f"“{heading}”一列中，哪一行的数最大？", f"{most}，是{max(numbers)}。"),
        (f"“{heading}”最小的是哪一行？", f"{least}，是{min(numbers)}。"),
        (f"“{heading}”一列的总和是多少？", f"{'+'.join(map(str, numbers))}={sum(numbers)}。"),
        (f"{one[0]}和{two[0]}的“{heading}”相差多少？谁更高？", f"相差{abs(one[1] - two[1])}，{higher}。"),
        ("这张表有几行数据？分别是哪些？", f"有{len(table.rows)}行：{listed}。"),
    )[kind]


def make(root: Path, font: Path) -> SourceFacts:
    """Write the source into the folder `root` with this font and say what is in it."""
    (root / "images").mkdir(parents=True)
    entries = [_entry(root, font, number) for number in range(COUNT)]
    (root / "images" / "error.png").write_bytes(damage.page_of_errors())
    record = entries[0].record | {"id": "error", "image": "images/error.png"}
    plant = Plant("web_page_named_png", "image_unknown_format", "a web page where a picture should be")
    broken = replace(entries[0], record=record, questions=0, native_id="error", plant=plant)
    entries = spread(entries, [broken], rng(NAME, "spread"))
    write_array(root / ANNOTATION, entries)
    facts = SourceFacts()
    facts.add(ANNOTATION, entries)
    return facts


def _entry(root: Path, font: Path, number: int) -> Entry:
    name = f"table-{number:04d}"
    random = rng(NAME, name)
    table = draw_figures(random)
    face = partial(chinese, font)
    picture = draw_table(
        table, face, random.choice((15, 16, 18)), random.choice(COLOURS), random.random() < 0.6
    )
    encoded = jpeg(picture, 92) if random.random() < 0.4 else png(picture)
    file = f"images/{name}.{encoded.extension}"
    (root / file).write_bytes(encoded.data)
    turns = ask_on(table, random, random.randint(1, 4))
    record = {"id": name, "image": file, "conversations": conversations(with_image(turns))}
    return Entry(record, len(turns), name)
