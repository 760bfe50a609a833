"""Chinese questions with computed answers; they need no font."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from random import Random

from vita_data.sample.native import Turn

Maker = Callable[[Random], list[Turn]]

PEOPLE = ("小明", "小红", "小华", "小丽", "小军", "小芳", "小刚", "小云")
THINGS = (("苹果", "个"), ("铅笔", "支"), ("邮票", "张"), ("图书", "本"), ("气球", "个"), ("贝壳", "枚"))
UNITS = (("千米", "米", 1000), ("千克", "克", 1000), ("小时", "分钟", 60), ("米", "厘米", 100),
         ("周", "天", 7), ("升", "毫升", 1000), ("元", "角", 10))  # fmt: skip
WEEK = ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日")


def _sum(random: Random) -> list[Turn]:
    a, b, c = (random.randint(11, 900) for _ in range(3))
    turns = [(random.choice((f"{a}加{b}等于多少？", f"请计算{a}+{b}。")), f"{a}+{b}={a + b}。")]
    turns.append((f"再减去{c}呢？", f"{a + b}-{c}={a + b - c}。"))
    return turns[: random.randint(1, 2)]


def _product(random: Random) -> list[Turn]:
    a, b = random.randint(3, 19), random.randint(12, 60)
    question = random.choice((f"一盒有{b}块糖，{a}盒一共有多少块？", f"每排坐{b}人，{a}排一共坐多少人？"))
    return [(question, f"{b}×{a}={b * a}，一共{b * a}{'块' if '糖' in question else '人'}。")]


def _share(random: Random) -> list[Turn]:
    (thing, word), people = random.choice(THINGS), random.randint(3, 9)
    n = random.randint(30, 120)
    question = f"把{n}{word}{thing}平均分给{people}个人，每人几{word}，还剩几{word}？"
    return [
        (
            question,
            f"{n}÷{people}={n // people}余{n % people}，每人{n // people}{word}，还剩{n % people}{word}。",
        )
    ]


def _convert(random: Random) -> list[Turn]:
    large, small, factor = random.choice(UNITS)
    n = random.randint(2, 40)
    return [
        (
            random.choice((f"{n}{large}等于多少{small}？", f"请把{n}{large}换算成{small}。")),
            f"{n * factor}{small}。",
        )
    ]


def _sort(random: Random) -> list[Turn]:
    numbers = random.sample(range(1, 300), random.randint(5, 9))
    listed = "、".join(map(str, numbers))
    ordered = "、".join(map(str, sorted(numbers)))
    turns = [(f"请把下面的数从小到大排列：{listed}。", f"{ordered}。")]
    turns.append(
        ("最大的数比最小的数大多少？", f"{max(numbers)}-{min(numbers)}={max(numbers) - min(numbers)}。")
    )
    return turns[: random.randint(1, 2)]


def _later(random: Random) -> list[Turn]:
    day, gap = date(2021, 1, 1) + timedelta(days=random.randint(0, 1400)), random.randint(5, 60)
    then = day + timedelta(days=gap)
    asked = f"{day.year}年{day.month}月{day.day}日"
    return [(f"{asked}之后第{gap}天是几月几日？", f"是{then.year}年{then.month}月{then.day}日。")]


def _weekday(random: Random) -> list[Turn]:
    start, gap = random.randrange(7), random.randint(3, 40)
    answer = f"是{WEEK[(start + gap) % 7]}，因为{gap}除以7余{gap % 7}。"
    return [(f"今天是{WEEK[start]}，再过{gap}天是星期几？为什么？", answer)]


def _taller(random: Random) -> list[Turn]:
    people = random.sample(PEOPLE, random.randint(3, 5))
    told = [f"{a}比{b}高" for a, b in zip(people, people[1:], strict=False)]
    random.shuffle(told)
    turns = [(f"{'，'.join(told)}。谁最高？", f"{people[0]}最高。"), ("谁最矮？", f"{people[-1]}最矮。")]
    return turns[: random.randint(1, 2)]


def _shopping(random: Random) -> list[Turn]:
    who, (thing, word) = random.choice(PEOPLE), random.choice(THINGS)
    n, price = random.randint(3, 9), random.randint(2, 12)
    paid = (n * price // 50 + 1) * 50
    question = f"{who}买了{n}{word}{thing}，每{word}{price}元，付了{paid}元，应找回多少元？"
    return [(question, f"一共{n}×{price}={n * price}元，应找回{paid}-{n * price}={paid - n * price}元。")]


def _gift(random: Random) -> list[Turn]:
    (one, two), (thing, word) = random.sample(PEOPLE, 2), random.choice(THINGS)
    a, b = random.randint(20, 50), random.randint(3, 15)
    question = f"{one}有{a}{word}{thing}，送给{two}{b}{word}，还剩多少{word}？"
    return [(question, f"{a}-{b}={a - b}，{one}还剩{a - b}{word}{thing}。")]


def _next_number(random: Random) -> list[Turn]:
    start, step = random.randint(1, 30), random.randint(2, 11)
    shown = "、".join(str(start + step * n) for n in range(5))
    return [(f"找规律，下一个数是几：{shown}？", f"是{start + 5 * step}，每个数都比前一个大{step}。")]


def _ledger(random: Random) -> list[Turn]:
    stock, told = random.randint(200, 400), []
    thing, word = random.choice(THINGS)
    start = stock
    for day in range(1, random.randint(6, 10) + 1):
        into, out = random.randint(5, 40), random.randint(5, 40)
        stock += into - out
        told.append(f"第{day}天运进{into}{word}，运出{out}{word}")
    question = f"仓库里原有{start}{word}{thing}。{'；'.join(told)}。最后还有多少{word}？"
    change = "少" if stock < start else "多"
    compared = "和原来一样多" if stock == start else f"比原来{change}{abs(stock - start)}{word}"
    return [(question, f"最后还有{stock}{word}{thing}，{compared}。")]


CHINESE: tuple[Maker, ...] = (
    _sum, _product, _share, _convert, _sort, _later, _weekday, _taller, _shopping, _gift, _next_number,
    _ledger,
)  # fmt: skip
