"""A look at tagging in a user's file: which field holds texts and spans, or tokens and a tag for each of them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from pipeline import naming
from pipeline.errors import AssayError
from pipeline.naming import fields, played
from pipeline.playing import spine, take_labels
from pipeline.prose import text_of
from pipeline.tagscheme import detect_scheme, spans_from_tags, split_tag
from pipeline.tasks import delivered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipeline.playing import Look

SPELLED = "write them as texts, such as B-PER, I-PER and O"


def tagging(good: list[dict[str, Any]], look: Look) -> None:
    """Note which fields hold texts and spans, or tokens and tags; of CoNLL the reader knows that.

    Raises:
        AssayError: there are none, or they are written in a way that nothing reads.
    """
    if look.format == "conll":
        spine(good, look)
        read = ((column, record["schemes"][name]) for record in good for name, column in record["tags"].items())
        take_labels(_labels(read), look)
        look.notes.append(f"tags in the last column, scheme {next(iter(good[0]['schemes'].values()))}")
        return
    if _tagged(good, look):
        return
    nested, spans_in = good[0].get("annotations"), played(good, "spans")
    if spans_in is None:
        way_out = "tagging needs CoNLL columns, [start, end, label] in JSON, or tokens with a list of tags as long"
        raise AssayError("the file", f"no field holds spans or tags: {', '.join(fields(good))}", way_out)
    look.columns["text"] = text_of(good, look)
    if isinstance(nested, list) and nested and isinstance(nested[0], dict) and "annotator" in nested[0]:
        look.columns["annotations"] = "annotations"
        spans = [span for record in good for one in record["annotations"] or () for span in one.get("spans") or ()]
    else:
        look.columns["spans"] = spans_in
        spans = [span for record in good for span in _spans(record.get(spans_in), spans_in)]
    spine(good, look)
    take_labels(Counter(str(delivered.parts(span)[2]) for span in spans), look)


def _spans(value: Any, name: str) -> list[Any]:
    """The spans in a field; tagging cannot do with anything else."""
    spans = value or []
    if not isinstance(spans, list) or not all(_is_span(span) for span in spans):
        way_out = "tagging needs CoNLL columns, or [start, end, label] in JSON; or say --task classification"
        raise AssayError("the file", f"the field '{name}' holds no spans but {value!r:.60}", way_out)
    return spans


def _is_span(span: Any) -> bool:
    return isinstance(span, dict) or (isinstance(span, list) and len(span) in (3, 4))


def _tagged(good: Sequence[Mapping[str, Any]], look: Look) -> bool:
    """Note which fields hold tokens and tags, if the file holds them; of several lists of tags, which are left.

    Raises:
        AssayError: there are tokens, and their tags are numbers of which nobody knows what they stand for.
    """
    tokens = played(good, "tokens")
    if tokens is None or not all(_is_texts(record.get(tokens)) for record in good):
        return False
    along = [name for name in fields(good) if name != tokens and _is_along(good, name, tokens)]
    tags = sorted((name for name in along if _are_tags(good, name)), key=_by_name)
    if not tags and (numbers := next((name for name in along if isinstance(_first(good, name), int)), None)):
        raise AssayError("the file", f"the tags in '{numbers}' are numbers and not the names of labels", SPELLED)
    if not tags:
        return False
    look.columns |= {"tokens": tokens, "tags": tags[0]}
    reason = f"tags as well as '{tags[0]}'; if they are known to be right, make it the gold"
    look.why |= dict.fromkeys(tags[1:], reason)
    spine(good, look)
    take_labels(_labels((record[tags[0]], detect_scheme([record[tags[0]]])) for record in good), look)
    look.notes.append(f"tokens are in '{tokens}', their tags in '{tags[0]}'")
    return True


def _labels(read: Iterable[tuple[Sequence[str], str]]) -> Counter[str]:
    """How many spans of each label there are: tags, and the scheme that each list of them is in.

    Raises:
        AssayError: none of them is in a span, or all of them would be.
    """
    every = list(read)
    found = Counter(label for tags, scheme in every for _, _, label in spans_from_tags(tags, scheme)[0])
    seen = {tag for tags, _ in every for tag in tags}
    if not found or not ("O" in seen or any(split_tag(tag) for tag in seen)):
        some = ", ".join(sorted(repr(tag)[:30] for tag in seen)[:3])
        way_out = "tags are such as B-PER, I-PER and O, each behind its token; or say another --task"
        raise AssayError("the file", f"the last column holds no tags but {some}", way_out)
    return found


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_along(good: Sequence[Mapping[str, Any]], name: str, tokens: str) -> bool:
    """Whether a field holds a list that is as long as that of the tokens, in every record."""
    values = ((record.get(name), record[tokens]) for record in good)
    return all(isinstance(value, list) and len(value) == len(beside) for value, beside in values)


def _are_tags(good: Sequence[Mapping[str, Any]], name: str) -> bool:
    """Whether these are tags of spans: each with a prefix, or bare labels with `O` for what is in no span."""
    if not all(_is_texts(record[name]) for record in good):
        return False
    seen = {tag for record in good for tag in record[name]}
    return bool(seen) and ("O" in seen or all(split_tag(tag) for tag in seen))


def _first(good: Sequence[Mapping[str, Any]], name: str) -> Any:
    return next((one for record in good for one in record[name]), None)


def _by_name(name: str) -> int:
    known = naming.NAMES["tags"]
    return known.index(naming.plain(name)) if naming.plain(name) in known else len(known)
