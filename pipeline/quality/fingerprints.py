"""Fingerprints: a few hashes of every text by which a long passage that two texts have in common is found.

Method: winnowing, Schleimer, Wilkerson and Aiken 2003, doi 10.1145/872757.872770. Of every window of neighbouring
n-grams the lowest hash is kept. Two texts that share a passage as long as a window and an n-gram together then share a
hash, wherever in each of them it stands. Units are what the caller hashes: words of spaced scripts, else characters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.shingles import distinct, grams, mixed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Ints = NDArray[np.int64]

SIZE, WINDOW = 4, 3
"""Units of an n-gram, and n-grams of a window: every passage of 6 units in common is found."""
MOST = 256
WIDEST = WINDOW * MOST // 2 + SIZE - 1
"""The most units of a text that is read through windows of `WINDOW` n-grams; longer ones through wider ones."""


def fingerprints(
    units: Hashes, starts: Ints, *, size: int = SIZE, window: int = WINDOW, most: int = MOST
) -> tuple[Hashes, Ints]:
    """The fingerprints of every text, each once, sorted: uint64[m], and where each text's begin: int64[texts + 1].

    A text that would have more than about `most` of them is read through wider windows, so that what is kept of a text
    does not grow with it; a passage is then found from about 2/`most` of the text on. A text with fewer n-grams than a
    window has its lowest one, a text of fewer than `size` units has none.

    Args:
        units: the hashed units of all texts, one text after another.
        starts: int64[texts + 1], where each text's units begin.
    """
    hashes, text = grams(mixed(units), starts, size)
    counts = np.bincount(text, minlength=len(starts) - 1)
    ends = np.cumsum(counts)
    # How far a window of each text reaches; never over its end, as a short text is one window.
    reach = np.minimum(np.ceil(np.maximum(window, 2.0 * counts / most)).astype(np.int64), counts)
    found, owners = [hashes[:0]], [text[:0]]
    place, least, width = np.arange(len(hashes)), hashes, 1
    while len(place):
        here = text[place]
        done = reach[here] <= width
        whole = done & (place + reach[here] <= ends[here])
        found.append(least[whole])
        owners.append(here[whole])
        place, least, here = place[~done], least[~done], here[~done]
        least = _wider(place, least, np.minimum(width, reach[here] - width), len(hashes))
        width *= 2
    return distinct(np.concatenate(found), np.concatenate(owners), len(starts) - 1)


def _wider(place: Ints, least: Hashes, step: Ints, room: int) -> Hashes:
    """The lowest hash of each window joined with the one that begins `step` n-grams later."""
    known = np.full(room + int(step.max(initial=0)), np.iinfo(np.uint64).max, dtype=np.uint64)
    known[place] = least
    return np.asarray(np.minimum(least, known[place + step]))


def lowest(units: Hashes, starts: Ints, *, size: int = SIZE) -> tuple[Hashes, NDArray[np.bool_]]:
    """The lowest n-gram of every text and whether it has one: uint64[texts], bool[texts].

    It is a fingerprint of every text that holds this one whole, if this one is as long as a window of that one.
    """
    hashes, text = grams(mixed(units), starts, size)
    found = np.full(len(starts) - 1, np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(found, text, hashes)
    return found, np.bincount(text, minlength=len(starts) - 1) > 0
