"""What an answer of Prodigy says: an answer of the whole, or a verdict on the one thing that was suggested."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.tools import entry as said

if TYPE_CHECKING:
    from collections.abc import Mapping

_BINARY = frozenset(("classification", "ner", "spans", "text", "html", "pos", "dep"))


def told(text: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What an answer says: an answer of the whole, or a verdict on the one thing that was suggested."""
    answer, whole = given["answer"], _whole(text, given)
    if answer not in ("accept", "reject", "ignore"):
        return {"problem": f"answer {answer!r:.40} is none of accept, reject, ignore"}
    if answer == "ignore":
        return {"status": "skipped"}
    rejected = {"status": "skipped", "rejected": {name: value for name, value in whole.items() if value is not None}}
    if not _is_binary(given):
        return whole if answer == "accept" else rejected
    part = {"part": _part(whole), "verdict": "fine" if answer == "accept" else "wrong"}
    return {**whole, **part} if answer == "accept" else {**rejected, **part}


def _is_binary(given: Mapping[str, Any]) -> bool:
    """Whether the person could only accept or reject: told by the view, else by what the task has."""
    view = given.get("_view_id")
    if "asked" in given:
        return False
    if view is not None and view != "blocks":
        return view in _BINARY
    if "options" in given or "accept" in given or "relations" in given or "field_id" in given:
        return False
    return "label" in given or any(
        "answer" in one or "score" in one for one in said.objects(given.get("spans"), "spans")
    )


def _part(whole: Mapping[str, Any]) -> str | None:
    """What was judged: the label, or the place of the only span."""
    if len(whole.get("labels", ())) == 1:
        return str(whole["labels"][0])
    spans = whole.get("spans", ())
    return f"{spans[0]['start']}:{spans[0]['end']}" if len(spans) == 1 else None


def _whole(text: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """All that the task holds as an answer: of the view that was asked, where it tells."""
    if "relations" in given:
        return _relations(text, given)
    if isinstance(field := given.get("field_id"), str):
        reply = given.get(field)
        return {"reply": reply if isinstance(reply, str) else ""}
    if "accept" in given or "options" in given:
        chosen = given.get("accept") or []
        labels = [str(one) for one in (chosen if isinstance(chosen, list) else [chosen])]
        return _rated(labels) if given.get("asked") == "rating" else {"labels": labels}
    if isinstance(label := given.get("label"), str) and label:
        return {"labels": [label]}
    if "spans" not in given and given.get("_view_id") in ("text", "html"):
        return {}
    spans, problem = said.checked_spans(text, given.get("spans") or [])
    return {"spans": spans, "problem": problem or None}


def _rated(chosen: list[str]) -> dict[str, Any]:
    if len(chosen) != 1 or not chosen[0].lstrip("-").isdecimal():
        return {"problem": f"one rating was asked for, not {', '.join(chosen) or 'none'}"}
    return {"rating": int(chosen[0])}


def _relations(text: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Spans and relations between them; an end that is no span is one of its own, without a label of its own."""
    spans, problem = said.checked_spans(text, given.get("spans") or [])
    at = {(one["start"], one["end"]): place for place, one in enumerate(spans)}
    links, lost = [], 0
    for one in given["relations"] or []:
        ends = [_end(text, given, one, side) for side in ("head", "child")]
        lost += None in ends
        if None in ends:
            continue
        for end in ends:
            if end is not None and (end["start"], end["end"]) not in at:
                at[end["start"], end["end"]] = len(spans)
                spans.append(end)
        head, tail = (at[end["start"], end["end"]] for end in ends if end is not None)
        links.append({"head": head, "tail": tail, "label": one.get("label")})
    problem = problem or (f"{lost} relations whose ends are no stretch of the text" if lost else "")
    return {"spans": spans, "relations": links, "problem": problem or None}


def _end(text: str, given: Mapping[str, Any], one: Any, side: str) -> dict[str, Any] | None:
    """One end of a relation: the span that stands with it, else the span or the token that its number names."""
    if not isinstance(one, dict):
        return None
    held = one.get(f"{side}_span")
    if isinstance(held, dict):
        fits, _ = said.checked_spans(text, [{**held, "label": held.get("label") or "-", "text": None}])
        return fits[0] if fits else None
    number, tokens = one.get(side), given.get("tokens")
    if not isinstance(number, int) or not isinstance(tokens, list) or not 0 <= number < len(tokens):
        return None
    start, end = tokens[number].get("start"), tokens[number].get("end")
    around, _ = said.checked_spans(text, given.get("spans") or [])
    inside = [span for span in around if span["start"] <= start and end <= span["end"]]
    fits, _ = said.checked_spans(text, [[start, end, "-"]])
    return next(iter((*inside, *fits)), None)
