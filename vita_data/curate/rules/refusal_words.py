"""How a model says that it refuses, in English and in Chinese: two patterns, made of parts that have names.

Each matches from the beginning of a sentence: what leads to it, that something cannot be done, and one of the things
that models decline. Most of what people cannot do (tell, find, believe, attend) is none of these.
"""

from __future__ import annotations

import re


def _any(*ways: str) -> str:
    return f"(?:{'|'.join(ways)})"


_AI = _any(
    "ai",
    "artificial intelligence",
    r"(?:language|text|chat)(?:[- ]based)? ?(?:ai )?(?:model|bot|assistant)",
    "(?:virtual|digital) assistant",
    "chatbot",
)
_AN_AI = rf"an? (?:[\w-]+ ){{0,3}}?{_AI}"
_AS_AN_AI = rf"as {_AN_AI}(?: [\w-]+){{0,4}}"
_SORRY = r"(?:i(?:'m| am) )?(?:(?:really|very|so|truly|terribly|deeply) )?sorry"
_LEAD = _any(
    rf"{_SORRY}(?: for [^,.]{{1,40}}| about that)?",
    "i apologi[sz]e(?: for [^,.]{1,40})?",
    "(?:my )?apologies",
    "unfortunately",
    "regrettably",
    "i regret to (?:say|inform you) that",
    "please note that",
    "i(?:'m| am) afraid(?: that(?:'s| is) something)?(?: that)?",
    _AS_AN_AI,
    rf"(?:since |because )?i(?:'m| am) (?:just |only )?{_AN_AI}",
    "without (?:the|an?|any|your) (?:images?|pictures?|photos?|files?|videos?|context)",
    "it (?:seems|looks like|appears)[^.!?]{1,80}?(?= (?:and|but|so) )",
    "(?:but|and|so|however|answer:|response:)",
)
_CANNOT = _any(
    "(?:i )?(?:cannot|can't|can not|could not|couldn't|(?:won't|will not) be able to|refuse to)",
    "i(?:'m| am) (?:currently )?(?:unable|not (?:able|allowed|permitted|designed|programmed)) to",
    "i (?:don't|do not) have the (?:ability|capability|capacity) to",
)
_DETERMINER = "(?:the|this|that|these|those|any|your|an?|attached|uploaded|actual|such|external|visual) "
_MEDIUM = _any(
    "images?", "pictures?", "photos?", "photographs?", "videos?", "visuals?", "audio",
    "links?", "urls?", "files?", "attachments?", "internet", "web", "websites?",
)  # fmt: skip
_SHOWN = rf"(?:{_DETERMINER})*{_MEDIUM}\b(?! (?:clearly|well|properly|in detail|in full|frame))"
_SEE = _any(
    "view", "see", "access", "open", "analy[sz]e", "process", "interpret", "display", "browse", "look at",
    "describe", "generate", "create", "watch",
)  # fmt: skip
_GIVE = _any("provide", "give", "offer", "share", "create", "generate", "write", "produce", "discuss")
_END = r"\s*(?:[.,;!]|$)"
_KIND = "(?:the|any|such|specific|personal|private|more|further|explicit|harmful) "
_GIVEN = _any(
    rf"(?:that|this|such)(?: an?)?(?: (?:kind|type|sort|information|content|request|advice|material)|{_END})",
    rf"(?:{_KIND})*(?:requested|information|assistance|help|advice|support|details|instructions|content|guidance)\b",
    r"an? (?:answer|description|response|opinion|summary|caption|analysis)\b",
    r"(?:medical|legal|financial|professional) \w+",
)
_DECLINED = _any(
    rf"(?:assist|help)(?: you)?(?: (?:with|further)\b|{_END})",
    r"comply\b",
    r"fulfil+\b",
    r"answer (?:(?:that|this|your|such|any)\b|(?:the |these )?questions?\b)",
    rf"{_SEE}(?: (?:or|and) \w+)? (?:visual (?:content|data|input)|{_SHOWN})",
    "(?:identify|recogni[sz]e|determine the identity of) "
    r"(?:who|(?:the |these )?(?:people|persons?|individuals?)|real)\b",
    rf"{_GIVE}(?: you)?(?: with)? {_GIVEN}",
    r"(?:engage|participate) in\b",
    r"discuss (?:this|that|such|political)\b",
    r"continue (?:this|the) conversation\b",
)
_REFUSED = _any(
    rf"{_CANNOT}(?: directly| currently| actually)? {_DECLINED}",
    rf"{_AS_AN_AI}[\s,;]*{_CANNOT}",
    rf"i (?:don't|do not) have (?:direct |any )?access to (?:{_SHOWN}|real-time)",
    rf"{_SORRY}[\s,;]*(?:but )?{_CANNOT} do that\b",
    r"i (?:won't|will not) (?:assist|help|comply|answer) (?:(?:you )?with )?(?:this|that)\b",
    "i (?:must|have to|need to) (?:respectfully |politely )?(?:decline|refuse) "
    "(?:to (?:answer|assist|help|provide|comply|respond|engage)|(?:this|that|your) (?:request|question))",
    r"i(?:'m| am) not comfortable (?:answering|discussing|providing|helping|sharing|creating|writing)\b",
)
ENGLISH = re.compile(rf"\s*(?:{_LEAD}[\s,;]*)*?{_REFUSED}", re.IGNORECASE)

_ZH_HELLO = r"\s*(?:[您你]好[，,！]?)?"
_ZH_SORRY = (
    _any("(?:很|非常|十分|真|实在)?(?:抱歉|对不起|不好意思|遗憾)", "恕", "请您?(?:原谅|谅解)")
    + "[，,。！]?(?:但是?)?"
)
_ZH_AI = _any("人工智能", "AI", "语言模型", "文本模型", "大模型", "模型", "助手", "机器人")
_ZH_LEAD = _any(
    _ZH_SORRY,
    rf"(?:由于|因为)?(?:作为|我[只仅]?是)(?:一个|一名|一款|一种|个)?[^，,。的]{{0,8}}{_ZH_AI}(?:[，,]|(?=我))",
    "(?:由于|因为)[^，,。]{1,20}[，,](?=我)",
    "(?:这个|该)(?:问题|请求|要求|(?=我))",
    "(?=我)",
)
_ZH_I = "(?:我|本助手|本人)?(?:目前|暂时|现在|也|还|并|是|实在|恐怕|仍)*"
_ZH_CANNOT = (
    _any("无法", "不能", "没有?办法", "没有能力", "没有权限", "不具备", "不支持", "不可以")
    + "够?(?:直接|[为给帮向][您你])*"
)
_ZH_WHICH = (
    "(?:[您你这该此那所的张个幅段些类种或和到里中]|任何|上传|发送|提到|提供|分享|相关|有关|具体|直接)*"
)
_ZH_MEDIUM = _any(
    "图片", "图像", "照片", "图表", "视频", "音频", "链接", "网页", "网站", "互联网", "网络", "文件", "附件",
    "画面", "内容", "信息", "数据",
)  # fmt: skip
_ZH_SEE = _any(
    "查看", "观看", "看到", "看见", "访问", "浏览", "打开", "识别", "分析", "处理", "读取", "解析", "描述", "接收",
    "显示", "生成", "创作", "编写", "撰写",
)  # fmt: skip
_ZH_GIVEN = _any(
    "任何", "[这该此您你]", "相关", "有关", "关于", "医疗", "医学", "法律", "投资", "违法", "具体的?(?:信息|建议)",
    "帮助", "协助", "答案", "建议", "描述", "[^，,。]{1,12}的(?:方法|步骤|教程)",
)  # fmt: skip
_ZH_END = "[，。,.！]|$"
_ZH_DECLINED = _any(
    "协助[您你]",
    "帮[您你]?(?:助[您你])?做这",
    f"帮助[您你]?(?:完成|处理|解决|进行|从事|实现|满足|{_ZH_END})",
    f"(?:回答|解答|回应)(?:[这该此您你那与]|关于|涉及|相关|有关|问题|{_ZH_END})",
    f"描述(?:{_ZH_END})",
    f"提供{_ZH_GIVEN}",
    f"{_ZH_SEE}{_ZH_WHICH}(?:{_ZH_MEDIUM}|暴力|色情|违法|有害)",
    "满足[这该此您你]",
    f"(?:满足|完成|执行)(?:{_ZH_END})",
    "(?:完成|执行)(?:[您你]的)?[这该此]?[个项类种]?(?:请求|要求|任务|操作|指令)",
    "(?:参与|讨论)(?:[这该此]|任何|涉及|政治)",
    "(?:发表|表达)(?:个人|任何|政治)?(?:意见|看法|观点)",
)
CHINESE = re.compile(
    _ZH_HELLO
    + _any(
        f"{_ZH_LEAD}+{_ZH_I}{_ZH_CANNOT}{_ZH_DECLINED}",
        f"(?:{_ZH_SORRY})?我?(?:看不到|看不见|打不开)[您你]{_ZH_WHICH}{_ZH_MEDIUM}",
    ),
    re.IGNORECASE,
)
