"""Confusion: Chinese characters replaced by ones that are typed alike (的/得, 在/再), as input methods slip."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.edits.words import Run, amount, cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Pairs that people mix up and readers put right without a thought; none that negates, counts or names a person.
_ALIKE = tuple(
    re.findall(
        r"\S+",
        "的地得 在再 做作 象像 以已 坐座 帐账 园圆 辨辩 练炼 即既 渡度 蓝篮 拔拨 晴睛 密蜜 记纪 需须 历厉 克刻 "
        "待带 带代 洽恰 幅副 振震 燥躁 漫慢 燃然 气汽 定订 型形 查察 决绝 包饱 反返 复覆 功工 响想 向像",
    )
)
_OTHERS: dict[str, tuple[str, ...]] = {
    character: tuple(sorted({other for group in _ALIKE if character in group for other in group} - {character}))
    for character in sorted(set("".join(_ALIKE)))
}


@dataclass(frozen=True)
class Confusion:
    """See `pipeline.edits.Edit`; `share` is of the words."""

    name: str = "confusion"
    languages: frozenset[str] = frozenset({"zh"})

    def reword(self, pieces: Sequence[str], *, language: str, share: float, seed: int) -> list[str] | None:
        """See `pipeline.edits.Edit`."""
        text = cut(pieces, language=language)
        words = [word for run in text.runs for word in run.words]
        open_places = [place for place, word in enumerate(words) if any(character in _OTHERS for character in word)]
        if not open_places:
            return None
        chance = random.Random(seed)
        for place in sorted(chance.sample(open_places, min(len(open_places), amount(share, len(words))))):
            words[place] = _confused(words[place], chance)
        rest: Iterator[str] = iter(words)
        return text.joined([Run(tuple(next(rest) for _ in run.words), run.gaps) for run in text.runs])


def _confused(word: str, chance: random.Random) -> str:
    place = chance.choice([place for place, character in enumerate(word) if character in _OTHERS])
    return word[:place] + chance.choice(_OTHERS[word[place]]) + word[place + 1 :]


EDIT = Confusion()
