"""Chinese captions, questions and answers that are true of a film."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from vita_data.sample.film_look import Seen
from vita_data.sample.native import Turn

Ask = Callable[[Seen, Random], Turn | None]  # None: this cannot be asked of this film
NUMBERS = ("零", "一", "两", "三", "四")
PLACES = ("第一", "第二", "第三", "第四")
MOVES = {
    "right": "镜头向右移动",
    "left": "镜头向左移动",
    "down": "镜头向下移动",
    "up": "镜头向上移动",
    "in": "镜头慢慢推近",
    "out": "镜头慢慢拉远",
    "still": "镜头没有移动",
}
SUBJECTS = {  # by the names of the photographs
    "astronaut": "一位穿橙色宇航服、面带微笑的宇航员",
    "brick": "一面窄砖砌成的墙",
    "camera": "一个穿深色大衣、正在看三脚架上的摄影机的男人",
    "cell": "显微镜下一个圆形的细胞",
    "chelsea": "一只虎斑猫的脸",
    "clock_motion": "一只因为相机晃动而模糊的挂钟",
    "coffee": "木桌上的一杯浓缩咖啡",
    "coins": "排成四行的古希腊硬币",
    "grass": "从上面看到的草地",
    "gravel": "铺满碎石的地面",
    "hubble_deep_field": "黑色天空中遥远的星系",
    "ihc": "显微镜下染了色的组织",
    "moon": "月球灰色的表面",
    "retina": "人眼的内部，也就是视网膜",
    "rocket": "黄昏时立在发射台上的白色火箭",
    "text": "写在横线纸上的公式",
    "china": "湖边一座高高的中式楼阁",
    "flower": "一朵盛开的橙色大丽花",
}
COLOURS = {
    "black": "黑色", "grey": "灰色", "white": "白色", "red": "红色", "orange": "橙色", "brown": "棕色",
    "yellow": "黄色", "green": "绿色", "turquoise": "青绿色", "blue": "蓝色", "purple": "紫色", "pink": "粉色",
}  # fmt: skip
PROMPTS = (
    "请描述这段视频。",
    "这段视频从头到尾都有什么？",
    "视频里依次出现了哪些画面？",
    "请给这段视频写一段说明。",
    "这段视频拍了什么，镜头是怎么动的？",
)
SOUND_PROMPT = "请描述画面，并说说声音有什么变化。"
INSTRUCTIONS = ("请看视频回答问题。", "看完这段视频，请简短地回答。", "请仔细观看后作答。")


def caption(seen: Seen, random: Random, timed: bool = True) -> str:
    """What a film shows, scene by scene; how long it lasts only when `timed`."""
    count = len(seen.scenes)
    told = ["视频只有一个画面。" if count == 1 else f"视频一共有{NUMBERS[count]}个画面。"]
    for number, scene in enumerate(seen.scenes):
        begin = "画面里是" if count == 1 else _begin(number, count)
        told.append(f"{begin}{_subject(seen, number)}，{MOVES[scene.move]}。")
        if random.random() < 0.6 and (extra := _extra(seen, number)):
            told.append(extra)
    if timed and random.random() < 0.5:
        told.append(f"全长{_about(seen.film.seconds)}。")
    return "".join(told)


def heard(seen: Seen) -> str:
    """What happens in the sound track of a film that has one."""
    rising = seen.film.tune[0] < seen.film.tune[-1]
    return f"同时可以听到八个音，{'越来越高' if rising else '越来越低'}。"


def _subject(seen: Seen, number: int) -> str:
    return SUBJECTS[seen.scenes[number].photo.name]


def _begin(number: int, count: int) -> str:
    if number == 0:
        return "先出现的是"
    return "最后是" if number == count - 1 else "接着是"


def _extra(seen: Seen, number: int) -> str | None:
    if seen.greys[number]:
        return "这一段是黑白的。"
    colour = seen.colours[number]
    return f"这一段以{COLOURS[colour]}为主。" if colour else None


def _about(seconds: float) -> str:
    whole = int(seconds + 0.5)
    return f"大约{whole}秒" if whole else "不到一秒"


def _count(seen: Seen, random: Random) -> Turn:
    question = random.choice(("视频里一共有几个画面？", "视频里有几个不同的场景？"))
    return question, f"{NUMBERS[len(seen.scenes)]}个。"


def _at_place(seen: Seen, random: Random) -> Turn:
    number = random.randrange(len(seen.scenes))
    where = "最后一个画面" if number == len(seen.scenes) - 1 else f"{PLACES[number]}个画面"
    return f"{where}是什么？", f"是{_subject(seen, number)}。"


def _move(seen: Seen, random: Random) -> Turn:
    number = random.randrange(len(seen.scenes))
    where = "" if len(seen.scenes) == 1 else f"在{PLACES[number]}个画面里，"
    return f"{where}镜头是怎么移动的？", f"{MOVES[seen.scenes[number].move]}。"


def _order(seen: Seen, random: Random) -> Turn | None:
    if len(seen.scenes) < 2:
        return None
    one, two = random.sample(range(len(seen.scenes)), 2)
    question = f"先出现的是{_subject(seen, one)}，还是{_subject(seen, two)}？"
    return question, f"先出现的是{_subject(seen, min(one, two))}。"


def _after(seen: Seen, random: Random) -> Turn | None:
    if len(seen.scenes) < 2:
        return None
    number = random.randrange(len(seen.scenes) - 1)
    return f"{_subject(seen, number)}之后，接着出现的是什么？", f"接着出现的是{_subject(seen, number + 1)}。"


def _appears(seen: Seen, random: Random) -> Turn:
    shown = [scene.photo.name for scene in seen.scenes]
    asked = random.choice(shown)
    if random.random() < 0.5:
        asked = random.choice([name for name in SUBJECTS if name not in shown])
    return f"视频里有没有出现{SUBJECTS[asked]}？", "有。" if asked in shown else "没有。"


def _longest(seen: Seen, random: Random) -> Turn | None:
    number = seen.longest()
    if number is None:
        return None
    return "哪个画面持续的时间最长？", f"{PLACES[number]}个，{_about(seen.scenes[number].seconds)}。"


def _length(seen: Seen, random: Random) -> Turn:
    return random.choice(("这段视频有多长？", "视频大约有几秒？")), f"{_about(seen.film.seconds)}。"


def _colour(seen: Seen, random: Random) -> Turn | None:
    named = [(number, colour) for number, colour in enumerate(seen.colours) if colour]
    if not named:
        return None
    number, colour = random.choice(named)
    return f"{PLACES[number]}个画面以什么颜色为主？", f"以{COLOURS[colour]}为主。"


ASKS: tuple[Ask, ...] = (_count, _at_place, _move, _order, _after, _appears, _longest, _length, _colour)


def questions(seen: Seen, random: Random, count: int) -> list[Turn]:
    """Up to `count` different questions on a film, at least one."""
    asked = [turn for ask in random.sample(ASKS, len(ASKS)) if (turn := ask(seen, random)) is not None]
    return asked[:count]


def about_clip(seen: Seen, start: float, end: float, random: Random) -> list[Turn]:
    """Questions on a part of a film: what is shown in it, and how many scenes it touches."""
    numbers = seen.parts(start, end)
    told = "，然后是".join(_subject(seen, number) for number in numbers)
    turns = [
        ("这一段里出现了什么？", f"是{told}。"),
        ("这一段里有几个画面？", f"{NUMBERS[len(numbers)]}个。"),
    ]
    return turns if random.random() < 0.6 else turns[:1]
