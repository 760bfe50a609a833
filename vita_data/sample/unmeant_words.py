"""What people say to one another and not to the model, what they do ask it, and what it answers."""

from __future__ import annotations

TALK_EN = (
    "Martha, could you hand me the salt, please?",
    "Sit down, Bruno. Good dog.",
    "Mum, have you seen my other shoe?",
    "I told him that yesterday, and he only laughed.",
    "The train to Aldbury leaves from platform three.",
    "Two coffees and one of those rolls, thanks.",
    "Hello, Peter? I am still at the office.",
    "Wait for me at the corner, I will be right there.",
    "And now the weather for the coming weekend.",
    "Come on, Lena, we are going to be late.",
    "No, not that box, the small one behind you.",
    "Doctor Weiss, please come to the front desk.",
)
TALK_ZH = (
    ("妈妈 我 的 书包 在 哪儿 呢", "ma1 ma5 wo3 de5 shu1 bao1 zai4 na3 er2 ne5"),
    ("小李 帮 我 把 灯 关上", "xiao3 li3 bang1 wo3 ba3 deng1 guan1 shang5"),
    ("喂 你 到 家 了 吗", "wei2 ni3 dao4 jia1 le5 ma5"),
    ("老板 来 一碗 牛肉面", "lao3 ban3 lai2 yi4 wan3 niu2 rou4 mian4"),
    ("他 昨天 就 跟 我 说 过 了", "ta1 zuo2 tian1 jiu4 gen1 wo3 shuo1 guo4 le5"),
    ("请 三号 窗口 的 客人 取 票", "qing3 san1 hao4 chuang1 kou3 de5 ke4 ren2 qu3 piao4"),
    ("爸爸 你 看 那边 有 一只 猫", "ba4 ba5 ni3 kan4 na4 bian1 you3 yi4 zhi1 mao1"),
    ("快 一点 我们 要 迟到 了", "kuai4 yi4 dian3 wo3 men5 yao4 chi2 dao4 le5"),
)
ASKED_EN = (
    ("How many days are there in a week?", "A week has seven days."),
    ("What colour do you get from blue and yellow?", "Blue and yellow give green."),
    ("How many legs does a spider have?", "A spider has eight legs."),
    ("What is seven times six?", "Seven times six is forty-two."),
    ("Which month comes after April?", "May comes after April."),
    ("What do we call a baby cat?", "A baby cat is called a kitten."),
)
ASKED_ZH = (
    (("一年 有 几个 季节", "yi4 nian2 you3 ji3 ge5 ji4 jie2"), "一年有四个季节。"),
    (("三 加 五 等于 几", "san1 jia1 wu3 deng3 yu2 ji3"), "三加五等于八。"),
    (("一个 星期 有 几天", "yi2 ge5 xing1 qi1 you3 ji3 tian1"), "一个星期有七天。"),
    (("太阳 从 哪边 升起", "tai4 yang2 cong2 na3 bian1 sheng1 qi3"), "太阳从东边升起。"),
)
# What the model is to write, unheard, when it was not addressed; by what there was to hear, and language.
ANSWERS = {
    ("talk", "en"): ("Somebody is talking to somebody else.", "These words were not meant for me."),
    ("talk", "zh"): ("有人在跟别人说话。", "这句话不是对我说的。"),
    ("crowd", "en"): ("Several people are talking at once, and none of them to me.",),
    ("crowd", "zh"): ("好几个人同时在说话，没有人在问我。",),
    ("hiss", "en"): ("I hear nothing but a hiss.", "There is only noise."),
    ("hiss", "zh"): ("只听见沙沙的噪声。",),
    ("tune", "en"): ("I hear a few tones, and nobody is speaking.",),
    ("tune", "zh"): ("这是几个音，没有人说话。",),
}
