"""Refusals: replies that consist of nothing but apologies, inabilities, courtesies or placeholders."""

from __future__ import annotations

import re
import unicodedata

from pipeline.text import normalised

_CANNOT = (
    "(?:can ?not|can't|won't|will not|could not|couldn't|am not able to|'m not able to|am unable to|'m unable to"
    "|do not|don't|'m not allowed to|am not allowed to|must decline to|have to decline to)"
)
_DO = (
    "(?:help (?:you )?(?:with|in)|help(?: you)?$|assist|answer|comply|fulfil|provide|complete|generate|create|respond"
    "|continue|engage|discuss|do (?:that|this)|offer|share|give|write|support|process|access|browse"
    "|have (?:access|personal|enough|the ability|the capability|feelings|opinions|that information))"
)
_AI = r"as an? (?:ai|artificial|large|language|virtual|text)\b[^,.!?]*,?"
_SORRY = (
    "(?:(?:but|and|however|unfortunately|(?:i'm|i am)?(?: so| very| really| truly)? ?sorry(?: for [^,.]*| about that)?"
    r"|(?:i|my) apolog\w+|apologies)[,:]? ?)"
)
_EN = (
    rf"{_SORRY}*(?:{_AI} ?)?{_SORRY}*i (?:simply |just |really )?{_CANNOT} {_DO}.*",
    rf"{_SORRY}*i{_CANNOT} {_DO}.*",
    rf"{_SORRY}+",
    rf"{_SORRY}*i (?:do not|don't) know(?: the answer)?(?: to (?:that|this)(?: question)?)?",
    rf"{_SORRY}*(?:{_AI}) ?",
    rf"{_SORRY}*i (?:must|have to) (?:respectfully )?decline.*",
    "(?:this|that|your) (?:request|question|content) (?:violates|goes against|is against|cannot be) .*",
)
_EN_FILLING = (
    "(?:is there anything else|how (?:can|may) i|can i help|let me know|feel free"
    "|please (?:provide|try|rephrase|consult|contact|ask|let)|if you have).*"
)
_ZH_SORRY = "(?:(?:非常|很|十分|真的|实在)?(?:抱歉|对不起|不好意思|遗憾)(?:的是)?[，,、]?)"
_ZH_SELF = (
    "(?:(?:但是?|因为|由于)?(?:作为|身为|我(?:只)?是)(?:一[个名款])?[^，。]{0,8}"
    "(?:ai|人工智能|语言模型|大模型|助手|机器人)[^，。]{0,12}[，,]?)"
)
_ZH_CANNOT = (
    "(?:但)?(?:我|本人|本模型)?(?:目前|暂时|现在|也|并|还)?(?:无法|不能|不会|没办法|没法|没有能力|不便|不可以|拒绝)"
    "(?:直接|够|再)?(?:为[您你]|给[您你]|向[您你]|帮[您你]|对[^，。]{0,10})?"
)
_ZH_DO = (
    "(?:回答|回复|提供|帮助|帮忙|协助|完成|满足|处理|继续|生成|讨论|给出|执行|访问|参与|支持|理解|做到|写)"
    "[^，。]{0,30}(?:[，,][^。]{0,30})?"
)
_ZH = (
    f"{_ZH_SORRY}*{_ZH_SELF}?{_ZH_SORRY}*{_ZH_CANNOT}{_ZH_DO}",
    f"{_ZH_SORRY}+",
    f"{_ZH_SORRY}*{_ZH_SELF}",
    f"{_ZH_SORRY}*我(?:也)?不(?:太)?(?:知道|清楚)(?:这个问题的答案|答案)?",
)
_ZH_FILLING = (
    "(?:请(?:[您你])?(?:提供|尝试|咨询|换|重新|告诉|联系)|如果[您你](?:有|还有|需要)"
    "|(?:还)?有(?:什么|其他|别的)[^。]{0,20}(?:帮|问题)).*"
)
_PLACEHOLDERS = (
    "n/?a|nan|undefined|todo|tbd|no ?(?:input|output|response|comment)|<(?:no)?(?:in|out)put>"
    r"|\[?(?:your )?(?:answer|response|text) here\]?|lorem ipsum.*|略|待补充|待定"
)
_REFUSING = re.compile("|".join(f"(?:{pattern})" for pattern in (*_EN, *_ZH, _PLACEHOLDERS)), re.DOTALL)
_FILLING = re.compile(f"{_EN_FILLING}|{_ZH_FILLING}", re.DOTALL)
_SENTENCE = re.compile(r"[^.!?。！？\n]+")
LONGEST = 600
"""Characters beyond which a reply says more than no."""


def is_refusal(reply: str) -> bool:
    """Whether a reply is nothing but refusals, apologies and courtesies, or a placeholder for an answer.

    >>> is_refusal("I'm sorry, but I can't help with that."), is_refusal("Sorry for the wait! The answer is 42.")
    (True, False)
    >>> is_refusal("很抱歉，我无法回答这个问题。"), is_refusal("抱歉久等了，答案是四十二。")
    (True, False)
    """
    if len(reply) > LONGEST:
        return False
    said = [part.strip(" \t\"'“”*-_…，,：:") for part in _SENTENCE.findall(reply.casefold().replace("’", "'"))]
    said = [part for part in said if any(unicodedata.category(character)[0] in "LN" for character in part)]
    if not said:
        return bool(reply.strip()) and not normalised(reply)
    refused = [bool(_REFUSING.fullmatch(part)) for part in said]
    return any(refused) and all(no or _FILLING.fullmatch(part) for no, part in zip(refused, said, strict=True))
