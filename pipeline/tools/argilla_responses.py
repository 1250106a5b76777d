"""Responses of Argilla in every form that it writes: by question, by person or in columns, with their status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.errors import Unfit
from pipeline.tools import entry as said

if TYPE_CHECKING:
    from collections.abc import Mapping

NOTE, NONE = "note", "(none)"
"""The question for a remark, and the label that says that none fits: no page lets a person submit nothing."""
Response = tuple[str, Any, str | None, str | None, str | None]
"""The question, the value, the user, the status and the time, where the form tells them."""


def metadata_of(given: Mapping[str, Any]) -> dict[str, Any]:
    metadata = given.get("metadata")
    if isinstance(metadata, list):
        return {str(one.get("name")): one.get("value") for one in metadata if isinstance(one, dict)}
    return dict(metadata) if isinstance(metadata, dict) else {}


def columns(given: Mapping[str, Any]) -> list[Response]:
    """Responses in flat columns: `Q.responses`, `Q.responses.users`, `Q.responses.status`, one value a person."""
    found: list[Response] = []
    for name, values in given.items():
        if not name.endswith(".responses") or not isinstance(values, list):
            continue
        users, states = (_named(given.get(f"{name}.{about}")) for about in ("users", "status"))
        if len(users) not in (0, len(values)) or len(states) not in (0, len(values)):
            counts = f"{len(values)} values, {len(users)} users, {len(states)} states"
            raise Unfit("unreadable_record", f"'{name}': {counts}")
        for at, value in enumerate(values):
            who, status = users[at] if users else None, states[at] if states else None
            found.append((name.removesuffix(".responses"), value, who, status, None))
    return found


def _named(values: Any) -> list[str | None]:
    return [said.name_of(one) for one in values] if isinstance(values, list) else []


def nested(given: Mapping[str, Any]) -> list[Response]:
    """Responses by question (the client's `to_json`) or by person (the server's own)."""
    responses = given.get("responses") or {}
    found: list[Response] = []
    if isinstance(responses, dict):
        for name, ones in responses.items():
            found += [(name, one.get("value"), *_person(one), None) for one in said.objects(ones, "responses")]
        return found
    for one in said.objects(responses, "responses"):
        values = one.get("values") or {"": {}}
        if not isinstance(values, dict):
            raise Unfit("unreadable_record", f"'values': {values!r:.60}")
        for name, value in values.items():
            held = value.get("value") if isinstance(value, dict) else value
            found.append((name, held, *_person(one), one.get("updated_at") or one.get("inserted_at")))
    return found


def _person(one: Mapping[str, Any]) -> tuple[str | None, str | None]:
    return said.name_of(one.get("user_id")), said.name_of(one.get("status"))


class Responses:
    """Entries from responses: remarks go with the answers of the person who made them."""

    def __init__(self, text: str, status: str) -> None:
        self.text, self.status = text, status
        self.entries: list[said.Entry] = []
        self.notes: list[str] = []

    def add(self, found: list[Response]) -> None:
        answers = [one for one in found if one[0] != NOTE]
        remarks = {one[2]: str(one[1]) for one in found if one[0] == NOTE and one[1]}
        alone = [one for one in found if one[0] == NOTE and all(one[2] != other[2] for other in answers)]
        several = len({one[0] for one in answers}) > 1
        for name, value, who, status, time in (*answers, *alone):
            told = {} if name == NOTE else self._told(name, value, self._standing(status))
            question = name if several else None
            self.entries.append(said.entry(who, time=time, question=question, note=remarks.get(who), **told))

    def _standing(self, status: str | None) -> str:
        """submitted, draft or discarded; where that is left out, what the record's own status lets be known."""
        if status is not None:
            return str(status)
        if self.status == "pending":
            self._note("the record is pending, so no response was submitted, or not by as many as were wanted")
            return "draft"
        self._note("this form of export does not tell submitted responses from drafts and discarded ones")
        return "submitted"

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)

    def _told(self, name: str, value: Any, standing: str) -> dict[str, Any]:
        if standing != "submitted":
            self._note(f"{standing}: no answer")
            return {"status": "skipped" if standing == "discarded" else standing}
        if value is None or value == "":
            return {"problem": "submitted without a value"}
        if isinstance(value, bool):
            return {"problem": f"no answer: {value}"}
        if isinstance(value, int | float):
            return {"rating": value}
        if isinstance(value, str):
            known: dict[str, dict[str, Any]] = {"labels": {"labels": [value]}, "reply": {"reply": value}}
            return known.get(name, {"labels": [value], "reply": value})
        return self._listed(name, value)

    def _listed(self, name: str, value: Any) -> dict[str, Any]:
        if value == []:
            return {name: []} if name in ("labels", "spans") else {"labels": [], "spans": []}
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return {"labels": [one for one in value if one != NONE]}
        if isinstance(value, list) and all(isinstance(one, dict) and "start" in one for one in value):
            if said.has_astral(self.text):
                self._note("offsets read as UTF-16 units")
            spans, problem = said.checked_spans(self.text, value, utf16=True)
            return {"spans": spans, "problem": problem or None}
        return {"problem": f"no answer that is known here (a ranking?): {value!r:.80}"}
