"""Lexicon: what is known of words beside how often they stand in the texts: Chinese words, and words of no weight."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# fmt: off
FILLERS = frozenset([
    "a", "an", "the", "that", "please", "kindly", "thanks", "just", "simply", "really", "actually", "basically",
    "literally", "honestly", "quite", "very", "so", "then", "now", "well", "also", "oh", "ok", "okay", "hey", "hi",
    "hello", "um", "uh", "lol", "like", "maam", "sir", *"的地得了着过吗呢吧啊呀嘛哦哈请就也",
])
"""Words that are put in or left out at will: articles, politeness and fillers of English, particles of Chinese."""
SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭"
    "陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常張劉陳楊黃趙吳孫馬"
)
"""The family names of most Chinese people."""
# fmt: on
LONGEST = 3  # characters; longer words hold shorter ones
_NAMES = frozenset(["nr", "nrt", "nrfg", "ns", "nt", "nz"])


def usage(characters: Sequence[str], at: int) -> int:
    """How often the commonest word is used that the character at one place makes with its neighbours; 0 if none.

    Words and how often they are used in a large collection are those of the dictionary of jieba, names left out.

    >>> usage("什么时候到", 3) > 100 * usage("什么时侯到", 3)
    True
    """
    spans = ((begin, begin + size) for size in range(2, LONGEST + 1) for begin in range(at - size + 1, at + 1))
    known = _words()
    return max((known.get("".join(characters[begin:end]), 0) for begin, end in spans if begin >= 0), default=0)


@lru_cache(maxsize=1)
def _words() -> dict[str, int]:
    """The words as the package of jieba lists them; it is not imported, as its tables take a second to build."""
    found = find_spec("jieba")
    if found is None or found.origin is None:
        return {}
    parts = Path(found.origin).with_name("dict.txt").read_text(encoding="utf-8").split()  # word, use, kind, word, ...
    lines = zip(parts[::3], parts[1::3], parts[2::3], strict=False)
    return {word: int(used) for word, used, kind in lines if len(word) <= LONGEST and kind not in _NAMES}
