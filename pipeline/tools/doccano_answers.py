"""What a record of doccano says: labels, spans, relations or texts, of one person or of those whom it names."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from pipeline.tools import entry as said

if TYPE_CHECKING:
    from collections.abc import Mapping


def fingerprint(answer: Mapping[str, Any]) -> str:
    """A short hash of an answer as doccano has it, by which an untouched suggestion is known again."""
    if "relations" in answer:
        entities = [tuple(_value(one)) for one in answer["entities"]]
        at = {one["id"]: span for one, span in zip(answer["entities"], entities, strict=True)}
        links = [[at.get(one["from_id"]), at.get(one["to_id"]), one["type"]] for one in answer["relations"]]
        told: Any = [sorted(entities), sorted(map(str, links))]
    else:
        told = sorted(map(str, map(_value, answer["label"])))
    return blake2b(json.dumps(told).encode(), digest_size=6).hexdigest()


def _value(one: Any) -> Any:
    return [one["start_offset"], one["end_offset"], one["label"]] if isinstance(one, dict) else one


class Answers:
    """What a record says: its entries, one for each person whom it names."""

    def __init__(self, text: str, told: Mapping[str, Any], who: str | None) -> None:
        self.text, self.told, self.asked = text, told, told.get("asked")
        names = (said.name_of(told.get(name)) for name in ("annotator", "username", "user"))
        self.who = next((name for name in names if name), who)
        self.notes: list[str] = []
        self.is_empty = False

    def all(self) -> tuple[list[said.Entry], tuple[str, ...]]:
        if isinstance(self.told.get("annotations"), list):
            found = self._by_person(self.told["annotations"])
        else:
            answer = self._relations() if "relations" in self.told else self._flat()
            found = [said.entry(self.who, **answer)] if answer else []
        suggested = self.told.get("suggested")
        if found and suggested and not self.is_empty and _fingerprint_of(self.told) == suggested:
            found[0]["as_suggested"] = True
            self.notes.append("is what was suggested: doccano does not tell whether anybody looked")
        return found, tuple(self.notes)

    def _flat(self) -> dict[str, Any]:
        values = self.told.get("label", self.told.get("labels"))
        if values is None and "entities" in self.told:
            values = self.told["entities"]
        answer = self._valued([] if values is None else values if isinstance(values, list) else [values])
        if isinstance(cats := self.told.get("cats"), list):
            answer["labels"] = [str(one) for one in cats]
        return answer

    def _valued(self, values: list[Any]) -> dict[str, Any]:
        if not values:
            return self._nothing()
        if all(isinstance(one, list | dict) for one in values):
            return self._spans(values)
        if not all(isinstance(one, str | int) for one in values):
            return {"problem": f"neither labels nor spans: {values!r:.80}"}
        names = [str(one) for one in values]
        if self.asked == "text":
            return {"reply": names[0]} if len(names) == 1 else {"problem": f"{len(names)} texts, and one was asked for"}
        return {"labels": names} if self.asked or len(names) > 1 else {"labels": names, "reply": names[0]}

    def _nothing(self) -> dict[str, Any]:
        """An empty answer: nothing was marked, or nobody has answered, which texts that we sent are marked for."""
        self.is_empty = True
        self.notes.append("nothing is marked: doccano does not tell whether anybody looked")
        if self.asked == "text":
            return {}
        names = {"labels": ("labels",), "spans": ("spans",), "relations": ("spans", "relations")}
        empty: dict[str, Any] = {name: [] for name in names.get(str(self.asked), ("labels", "spans"))}
        return {"status": "blank", **empty} if self.asked else empty

    def _spans(self, values: list[Any]) -> dict[str, Any]:
        spans, problem = said.checked_spans(self.text, values, utf16=True)
        if said.has_astral(self.text):
            self.notes.append("offsets read as UTF-16 units")
        return {"spans": spans, "problem": problem or None}

    def _relations(self) -> dict[str, Any]:
        """Entities and relations; a span that does not fit takes its relations with it, and is told."""
        entities = said.objects(self.told.get("entities"), "entities")
        if not entities and self.asked == "relations":
            return self._nothing()
        answer, at = self._spans(entities), dict[str, int]()
        spans: list[dict[str, Any]] = []
        for one in entities:
            fits, _ = said.checked_spans(self.text, [one], utf16=True)
            at |= {str(one.get("id")): len(spans)} if fits else {}
            spans += fits
        links, lost = [], 0
        for one in said.objects(self.told["relations"], "relations"):
            head, tail = at.get(str(one.get("from_id"))), at.get(str(one.get("to_id")))
            lost += head is None or tail is None
            if head is not None and tail is not None:
                links.append({"head": head, "tail": tail, "label": one.get("type")})
        problem = answer["problem"] or (f"{lost} relations without their ends" if lost else None)
        return {"spans": spans, "relations": links, "problem": problem}

    def _by_person(self, values: list[Any]) -> list[said.Entry]:
        """The form of doccano 1.0: every annotation names its user."""
        by_user: dict[str | None, list[Any]] = {}
        for one in said.objects(values, "annotations"):
            by_user.setdefault(said.name_of(one.get("user")) or self.who, []).append(one)
        return [said.entry(user, time=_latest(ones), **self._told_by(ones)) for user, ones in by_user.items()]

    def _told_by(self, ones: list[dict[str, Any]]) -> dict[str, Any]:
        if all("start_offset" in one for one in ones):
            return self._spans([{**one, "label": str(one.get("label")), "text": None} for one in ones])
        values = [one.get("label", one.get("text")) for one in ones]
        return self._valued([value for value in values if not isinstance(value, list | dict)])


def _latest(ones: list[dict[str, Any]]) -> str | None:
    times = [str(one.get("updated_at") or one.get("created_at") or "") for one in ones]
    return max(times) or None


def _fingerprint_of(told: Mapping[str, Any]) -> str:
    try:
        if "relations" in told:
            return fingerprint({"entities": told["entities"], "relations": told["relations"]})
        return fingerprint({"label": told.get("label") or []})
    except (KeyError, TypeError):  # not as it went out
        return ""
