"""What is decided about every row: by its rules, by people, and by what rows say of one another."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline import against, existing, twinning
from pipeline.against import Contamination
from pipeline.quality.merging import Merging
from pipeline.replaying import Replay
from pipeline.twinning.copies import TEXT_RULES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.decisions import Decision
    from pipeline.stage import Work
    from pipeline.twinning import Known, Spoken
    from pipeline.twinning.asked import Asked

UNSETTLED = ("tied", "low_confidence", "unanswered")
"""Why a row whose annotators left it open is held back."""
TAKEN_OUT = {"drop": "decided_out", "ambiguous": "ambiguous"}


@dataclass
class Judgement:
    """What is decided about the rows, by their position; narrow: one entry per row."""

    ids: list[str]
    sources: list[str]
    groups: list[str]
    settled: pa.Table
    reason: list[str | None]
    evidence: list[str | None]
    answer: list[str | None]
    meaning: list[str | None]
    """What the answer says apart from how the text is written: equal for duplicates that agree."""
    confidence: list[float | None]
    merging: Merging = field(default_factory=Merging)
    pairs: pa.Table = field(default_factory=twinning.PAIRS.empty_table)
    """The evidence of every pair of rows that was compared, and what became of it."""
    duplicates: dict[str, Any] = field(default_factory=dict)
    """What is told of them in the report."""
    contamination: Contamination = field(default_factory=lambda: Contamination([]))
    decided: dict[int, Decision] = field(default_factory=dict)
    """The last human decision that each row follows."""
    doubted: dict[int, dict[str, Decision]] = field(default_factory=dict)
    """By row and part of its answer: that a person took it out, or said that several answers can be meant."""
    used: Counter[str] = field(default_factory=Counter)
    replay: Replay = field(default_factory=Replay)
    """What became of the decisions as such."""
    without_effect: list[str] = field(default_factory=list)

    @property
    def counts_for(self) -> dict[str, str]:
        """The id of each row that was merged -> the id of the row that stands for it."""
        return {self.ids[gone]: self.ids[stays] for gone, stays in self.merging.merged.items()}


def judge(work: Work, rows: pa.Table, settled: pa.Table, spoken: Spoken, told: pa.Table) -> Judgement:
    """Verdicts on every row: its rules, human decisions, what stands elsewhere, what rows say of one another.

    Rows that hold words of a held-out set leave, whatever a person says of their answer; rows that a person took out
    take their copies along; rows that an existing set holds leave, unless a person decided them. Of the others those
    that say the same are merged, and those that answer the same question otherwise are held back by the recipe's rule.
    `told` is what `twinning.read` gives.

    Raises:
        AssayError: duplicates take more than the recipe's `wipe_out` lets them.
    """
    columns = {name: settled[name].to_pylist() for name in ("reason", "evidence", "answer", "meaning", "confidence")}
    named = {f"{name}s": rows[name].to_pylist() for name in ("id", "source", "group")}
    judged = Judgement(**named, settled=settled, **columns)
    _replay(judged, work)
    judged.contamination = against.contaminated(work, rows)
    _take_contaminated(judged)
    if work.recipe.settings.audit.duplicates != "off":
        _take_along(judged, spoken.same)
        with twinning.laid_aside(work) as asked, existing.items(work) as items:
            known = _take_known(work, judged, spoken, told, asked=asked, items=items)
            _compare(work, judged, spoken, told, asked=asked, known=known)
    return judged


def _take_contaminated(judged: Judgement) -> None:
    """Take out the rows in which words of a held-out set stand, unless something was wrong with them before."""
    for at, evidence in enumerate(judged.contamination.evidence):
        if evidence is not None and judged.reason[at] is None:
            judged.reason[at], judged.evidence[at] = "contaminated", evidence
            if at in judged.decided:
                _no_effect(judged, at, "words of a held-out set stand in it")


def _take_known(
    work: Work, judged: Judgement, spoken: Spoken, told: pa.Table, *, asked: Asked, items: tuple[pa.Table, Any]
) -> Known:
    """Take out the rows that an existing set holds."""
    known = twinning.known_elsewhere(
        work,
        spoken,
        _alive(judged),
        meanings=judged.meaning,
        decided=judged.decided,
        told=told,
        texts=asked,
        given=items,
    )
    for at in known.hits:
        judged.reason[at], judged.evidence[at] = "known_elsewhere", known.evidence(at)
    return known


def _compare(work: Work, judged: Judgement, spoken: Spoken, told: pa.Table, *, asked: Asked, known: Known) -> None:
    """Merge the rows that say the same, hold back those in conflict, and see that not too much leaves."""
    found = twinning.compare(
        work,
        spoken,
        _alive(judged),
        told=told,
        asked=asked,
        answers=judged.answer,
        meanings=judged.meaning,
        decided=judged.decided,
    )
    judged.merging = found.compared.merging
    _hold(judged, found)
    judged.pairs, judged.duplicates = twinning.told(work, spoken, found, known, asked)
    clusters = {at: judged.ids[head] for at, head in judged.merging.cluster.items()}
    clusters |= {at: known.names[hit.item] for at, hit in known.hits.items()}
    twinning.guard(
        work,
        judged.reason,
        clusters=clusters,
        classes=judged.settled["classes"],
        pairs=judged.pairs,
        ids=judged.ids,
        asked=asked,
        known=known,
    )


def _alive(judged: Judgement) -> list[int]:
    """The rows that nothing speaks against so far."""
    return [at for at, reason in enumerate(judged.reason) if reason is None]


def _replay(judged: Judgement, work: Work) -> None:
    """Put every human decision in force, in its order, or report that it no longer speaks of its row."""
    for at, decision in judged.replay.each(work, judged.ids, judged.answer):
        _follow(judged, at, decision, keeps=work.recipe.settings.audit.ambiguous == "keep")


def _follow(judged: Judgement, at: int, decision: Decision, *, keeps: bool) -> None:
    """Do with a row what was decided of it; what the rules said of it before is taken back, but for its text.

    `keeps`: whether rows of which a person said that they are ambiguous stay. What is said of a part of an answer says
    nothing of the others, so the row is as sure as before.
    """
    judged.decided[at] = decision
    judged.used[decision.verdict] += 1
    doubted = judged.doubted.setdefault(at, {})
    before = doubted.pop(decision.part, None)
    if decision.verdict in TAKEN_OUT:
        doubted[decision.part] = decision
    else:
        if not decision.part:
            doubted.clear()
        if before or not decision.part or decision.verdict != "fine":
            _settle(judged, at, decision)
    out = [one for one in doubted.values() if one.verdict == "drop" or not keeps]
    if out:
        judged.reason[at], judged.evidence[at] = TAKEN_OUT[out[-1].verdict], out[-1].said
        if decision not in out:
            _no_effect(judged, at, f"the row is taken out: {out[-1].said}")


def _settle(judged: Judgement, at: int, decision: Decision) -> None:
    """Give a row the answer that was decided, and let it go on, if that answer breaks no rule."""
    if decision.answer:
        judged.answer[at], judged.meaning[at] = decision.answer, decision.meaning
    ruled, seen = (judged.settled[name][at].as_py() for name in ("reason", "evidence"))
    if held := _held(judged, at, decision, ruled):
        judged.reason[at], judged.evidence[at] = ruled, seen
        _no_effect(judged, at, held)
        return
    judged.reason[at], judged.evidence[at] = None, None
    judged.confidence[at] = judged.confidence[at] if decision.part else 1.0
    if decision.verdict == "wrong" and decision.problem:
        judged.reason[at] = decision.problem.rule
        judged.evidence[at] = f"{decision.problem.evidence}; {decision.said}"


def _held(judged: Judgement, at: int, decision: Decision, ruled: str | None) -> str:
    """Why a row stays out whatever was decided of its answer; empty if it does not."""
    if ruled in TEXT_RULES:
        return f"its text is held back as {ruled}"
    if judged.answer[at] is None:
        return "the row has no answer that could be fine"
    if decision.part and ruled in UNSETTLED:
        return f"the row is held back as {ruled}: decide its whole answer"
    return ""


def _no_effect(judged: Judgement, at: int, why: str) -> None:
    """Report that the decision on a row changes nothing, instead of counting it as used."""
    decision = judged.decided[at]
    judged.used[decision.verdict] -= 1
    judged.without_effect.append(f"{decision.place}: {decision.verdict} on row {judged.ids[at]}: {why}")


def _take_along(judged: Judgement, keys: Sequence[bytes]) -> None:
    """Take out the copies of rows that a person took out, or one of them would take their place.

    A dropped row takes along those that read the same and say what it said, before or after it was corrected; an
    ambiguous one all that read the same. Rows that a person decided himself stay as decided.
    """
    gone: dict[tuple[bytes, str | None], int] = {}
    for at in judged.decided:
        if judged.reason[at] == TAKEN_OUT["drop"]:
            said = {judged.meaning[at], judged.settled["meaning"][at].as_py()} - {None}
            gone.update({(keys[at], meaning): at for meaning in said})
        elif judged.reason[at] == "ambiguous":
            gone[keys[at], None] = at
    for at, key in enumerate(keys) if gone else ():
        if judged.reason[at] is None and at not in judged.decided:
            first = gone.get((key, judged.meaning[at]), gone.get((key, None)))
            if first is not None:
                judged.reason[at] = judged.reason[first]
                judged.evidence[at] = f"reads like {judged.ids[first]}: {judged.evidence[first]}"


def _hold(judged: Judgement, found: twinning.Found) -> None:
    for gone, stays in judged.merging.merged.items():
        judged.reason[gone] = "merged_duplicate"
        like = found.likeness(gone)
        judged.evidence[gone] = f"{like} input and answer as {judged.ids[stays]} ({judged.sources[stays]})"
        if gone in judged.decided:
            judged.confidence[stays] = judged.confidence[gone]
    for held, others in judged.merging.conflicts.items():
        told = [f"{judged.ids[at]} answers {judged.answer[at]:.80}" for at in others[:5]]
        judged.reason[held] = "conflict"
        judged.evidence[held] = f"answers {judged.answer[held]:.80}, but {found.apart(held)}" + "; ".join(told)
    for held in [at for at in judged.decided if at in judged.merging.conflicts]:
        other = judged.merging.conflicts[held][0]  # decided ones stand first
        place = judged.decided[other].place
        _no_effect(judged, held, f"{judged.ids[other]}, which reads the same, was decided otherwise ({place})")
