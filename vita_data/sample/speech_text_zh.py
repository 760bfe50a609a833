"""Chinese sentences to be spoken, word by word, with the sound of every character in pinyin.

Tones are those that are heard: 5 is none, and `yi` changes with the word behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from vita_data.sample.chance import rng

ATTEMPTS = 50  # for each sentence that is asked for

Words = tuple[str, str]  # words parted by blanks, and the pinyin of their characters

WHEN: tuple[Words, ...] = (
    ("今天 早上", "jin1 tian1 zao3 shang5"),
    ("昨天 晚上", "zuo2 tian1 wan3 shang5"),
    ("下雨 以后", "xia4 yu3 yi3 hou4"),
    ("上个 星期天", "shang4 ge5 xing1 qi1 tian1"),
    ("天 快 黑 的 时候", "tian1 kuai4 hei1 de5 shi2 hou5"),
    ("吃过 午饭", "chi1 guo4 wu3 fan4"),
    ("放学 以后", "fang4 xue2 yi3 hou4"),
    ("过年 那天", "guo4 nian2 na4 tian1"),
    ("第一 班 火车 到站 以前", "di4 yi1 ban1 huo3 che1 dao4 zhan4 yi3 qian2"),
    ("每年 秋天", "mei3 nian2 qiu1 tian1"),
)
WHO: tuple[Words, ...] = (
    ("小明 和 他的 妹妹", "xiao3 ming2 he2 ta1 de5 mei4 mei5"),
    ("我 的 奶奶", "wo3 de5 nai3 nai5"),
    ("隔壁 的 老张", "ge2 bi4 de5 lao3 zhang1"),
    ("一位 年轻 的 画家", "yi2 wei4 nian2 qing1 de5 hua4 jia1"),
    ("学校 的 老师", "xue2 xiao4 de5 lao3 shi1"),
    ("那个 卖 水果 的 人", "na4 ge5 mai4 shui3 guo3 de5 ren2"),
    ("几个 孩子", "ji3 ge5 hai2 zi5"),
    ("村里 的 木匠", "cun1 li5 de5 mu4 jiang5"),
    ("图书馆 的 阿姨", "tu2 shu1 guan3 de5 a1 yi2"),
    ("船长", "chuan2 zhang3"),
)
WHERE: tuple[Words, ...] = (
    ("在 河边", "zai4 he2 bian1"),
    ("在 学校 门口", "zai4 xue2 xiao4 men2 kou3"),
    ("在 老 院子 里", "zai4 lao3 yuan4 zi5 li5"),
    ("在 山脚 下", "zai4 shan1 jiao3 xia4"),
    ("在 火车站", "zai4 huo3 che1 zhan4"),
    ("在 菜市场", "zai4 cai4 shi4 chang3"),
    ("在 大桥 旁边", "zai4 da4 qiao2 pang2 bian1"),
    ("在 自己 家里", "zai4 zi4 ji3 jia1 li5"),
)
DEEDS: tuple[Words, ...] = (
    ("修好了 一辆 旧 自行车", "xiu1 hao3 le5 yi2 liang4 jiu4 zi4 xing2 che1"),
    ("看见 一只 白色 的 鸟", "kan4 jian4 yi4 zhi1 bai2 se4 de5 niao3"),
    ("等了 整整 一个 小时", "deng3 le5 zheng3 zheng3 yi2 ge4 xiao3 shi2"),
    ("种了 三棵 苹果树", "zhong3 le5 san1 ke1 ping2 guo3 shu4"),
    ("画了 一张 很 大 的 画", "hua4 le5 yi4 zhang1 hen3 da4 de5 hua4"),
    ("讲了 一个 有趣 的 故事", "jiang3 le5 yi2 ge4 you3 qu4 de5 gu4 shi5"),
    ("买了 两斤 西红柿 和 一条 鱼", "mai3 le5 liang3 jin1 xi1 hong2 shi4 he2 yi4 tiao2 yu2"),
    ("慢慢 地 喝着 热茶", "man4 man4 de5 he1 zhe5 re4 cha2"),
    ("数了 数 天上 的 星星", "shu3 le5 shu3 tian1 shang5 de5 xing1 xing5"),
    ("找到了 丢失 的 钥匙", "zhao3 dao4 le5 diu1 shi1 de5 yao4 shi5"),
    ("教 我们 唱 一首 老歌", "jiao4 wo3 men5 chang4 yi4 shou3 lao3 ge1"),
    ("把 窗户 擦得 干干净净", "ba3 chuang1 hu5 ca1 de5 gan1 gan1 jing4 jing4"),
    ("给 朋友 写了 一封 长信", "gei3 peng2 you5 xie3 le5 yi4 feng1 chang2 xin4"),
    ("跟 大家 一起 包 饺子", "gen1 da4 jia1 yi4 qi3 bao1 jiao3 zi5"),
    ("拍了 许多 好看 的 照片", "pai1 le5 xu3 duo1 hao3 kan4 de5 zhao4 pian4"),
    ("搭了 一个 小 木屋", "da1 le5 yi2 ge4 xiao3 mu4 wu1"),
    ("听见 远处 有人 在 唱歌", "ting1 jian4 yuan3 chu4 you3 ren2 zai4 chang4 ge1"),
    ("学会了 下 围棋", "xue2 hui4 le5 xia4 wei2 qi2"),
)
ENDINGS: tuple[Words, ...] = (
    ("大家 都 很 高兴", "da4 jia1 dou1 hen3 gao1 xing4"),
    ("谁 也 没有 说话", "shei2 ye3 mei2 you3 shuo1 hua4"),
    ("因为 外面 太 冷 了", "yin1 wei4 wai4 mian4 tai4 leng3 le5"),
    ("直到 路灯 亮 起来", "zhi2 dao4 lu4 deng1 liang4 qi3 lai2"),
    ("这 是 他们 的 老 习惯", "zhe4 shi4 ta1 men5 de5 lao3 xi2 guan4"),
    ("一点 也 不 觉得 累", "yi4 dian3 ye3 bu4 jue2 de5 lei4"),
    ("后来 太阳 就 出来 了", "hou4 lai2 tai4 yang2 jiu4 chu1 lai2 le5"),
    ("心里 想着 远方 的 家人", "xin1 li5 xiang3 zhe5 yuan3 fang1 de5 jia1 ren2"),
)
SHORT: tuple[Words, ...] = (
    ("请 把 门 关上", "qing3 ba3 men2 guan1 shang5"),
    ("水 已经 开 了", "shui3 yi3 jing1 kai1 le5"),
    ("钥匙 在 桌子 上", "yao4 shi5 zai4 zhuo1 zi5 shang5"),
    ("我们 在 喷泉 旁边 见面", "wo3 men5 zai4 pen1 quan2 pang2 bian1 jian4 mian4"),
    ("面包 还是 热 的", "mian4 bao1 hai2 shi4 re4 de5"),
    ("这条 路 一直 通到 山顶", "zhe4 tiao2 lu4 yi4 zhi2 tong1 dao4 shan1 ding3"),
    ("别 忘了 带 雨伞", "bie2 wang4 le5 dai4 yu3 san3"),
    ("商店 中午 关门", "shang1 dian4 zhong1 wu3 guan1 men2"),
    ("雾 慢慢 散 了", "wu4 man4 man4 san4 le5"),
    ("前面 路口 向 左 转", "qian2 mian4 lu4 kou3 xiang4 zuo3 zhuan3"),
    ("她 笑着 挥了 挥手", "ta1 xiao4 zhe5 hui1 le5 hui1 shou3"),
    ("猫 在 窗台 上 睡觉", "mao1 zai4 chuang1 tai2 shang5 shui4 jiao4"),
    ("今天 的 汤 有点 咸", "jin1 tian1 de5 tang1 you3 dian3 xian2"),
    ("桥 的 那边 有 一家 书店", "qiao2 de5 na4 bian1 you3 yi4 jia1 shu1 dian4"),
    ("梯子 太 短 了", "ti1 zi5 tai4 duan3 le5"),
    ("我 听见 了 海浪 的 声音", "wo3 ting1 jian4 le5 hai3 lang4 de5 sheng1 yin1"),
    ("火车 马上 就要 开了", "huo3 che1 ma3 shang4 jiu4 yao4 kai1 le5"),
    ("请 把 地图 给 我 看看", "qing3 ba3 di4 tu2 gei3 wo3 kan4 kan5"),
    ("他 每天 早上 跑步", "ta1 mei3 tian1 zao3 shang5 pao3 bu4"),
    ("所有 的 灯 都 是 绿色 的", "suo3 you3 de5 deng1 dou1 shi4 lv4 se4 de5"),
)
QUESTIONS: tuple[Words, ...] = (
    ("你 把 蓝色 的 雨伞 放在 哪里 了", "ni3 ba3 lan2 se4 de5 yu3 san3 fang4 zai4 na3 li5 le5"),
    ("到 最近 的 车站 有 多远", "dao4 zui4 jin4 de5 che1 zhan4 you3 duo1 yuan3"),
    ("博物馆 星期一 为什么 不 开门", "bo2 wu4 guan3 xing1 qi1 yi1 wei4 shen2 me5 bu4 kai1 men2"),
    ("厨房 桌上 的 信 是 谁 写的", "chu2 fang2 zhuo1 shang5 de5 xin4 shi4 shei2 xie3 de5"),
    ("最后 一班 船 几点 开", "zui4 hou4 yi4 ban1 chuan2 ji3 dian3 kai1"),
    ("冬天 蜜蜂 做 什么", "dong1 tian1 mi4 feng1 zuo4 shen2 me5"),
    ("小提琴 有 几根 弦", "xiao3 ti2 qin2 you3 ji3 gen1 xian2"),
    ("现在 是 什么 时间", "xian4 zai4 shi4 shen2 me5 shi2 jian1"),
)


@dataclass(frozen=True)
class Line:
    """A sentence: phrases, at whose ends a reader pauses, and the mark at its end."""

    phrases: tuple[Words, ...]
    mark: str = "。"

    @property
    def words(self) -> list[str]:
        """The words, without punctuation."""
        return [word for words, _ in self.phrases for word in words.split()]

    @property
    def plain(self) -> str:
        """The characters, without blanks and punctuation."""
        return "".join(self.words)

    @property
    def written(self) -> str:
        """The sentence with its punctuation."""
        return "，".join(words.replace(" ", "") for words, _ in self.phrases) + self.mark

    @property
    def pinyin(self) -> list[str]:
        """One syllable with its tone for every character."""
        return [syllable for _, sounds in self.phrases for syllable in sounds.split()]

    @property
    def read(self) -> str:
        """The pinyin with commas where a reader pauses, for an engine that knows no characters."""
        return ", ".join(sounds for _, sounds in self.phrases) + ("?" if self.mark == "？" else ".")


def sentences(purpose: str, count: int, longest: int = 3, most: int = 99) -> list[Line]:
    """`count` different sentences for a purpose, of up to `longest` phrases and `most` characters."""
    found: dict[str, Line] = {}
    for attempt in range(count * ATTEMPTS):
        line = _sentence(rng("zh sentences", purpose, str(attempt)), longest)
        if len(line.plain) <= most:
            found.setdefault(line.plain, line)
        if len(found) == count:
            return list(found.values())
    raise ValueError(f"There are no {count} sentences of at most {most} characters, only {len(found)}.")


def _sentence(random: Random, longest: int) -> Line:
    kind = random.random()
    if kind < 0.15:
        return Line((random.choice(SHORT),))
    if kind < 0.25:
        return Line((random.choice(QUESTIONS),), "？")
    deed = [random.choice(WHO), random.choice(DEEDS)]
    if random.random() < 0.5:
        deed.insert(1, random.choice(WHERE))
    phrases = [_joined(*deed)]
    if longest > 1 and random.random() < 0.7:
        phrases.insert(0, random.choice(WHEN))
    if longest > 2 and random.random() < 0.6:
        phrases.append(random.choice(ENDINGS))
    return Line(tuple(phrases))


def _joined(*parts: Words) -> Words:
    return " ".join(words for words, _ in parts), " ".join(sounds for _, sounds in parts)
