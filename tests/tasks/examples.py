"""Rows in English and Chinese that every task's laws are held to, as files would deliver them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.settings import Guideline, Label
from pipeline.tasks import Row, task

if TYPE_CHECKING:
    from pipeline.tasks import Task

SENTIMENT = Guideline(label=(Label(name="negative"), Label(name="positive")), keep_words=("masterpiece", "烂片"))
TOPICS = Guideline(multiple=True, label=(Label(name="art"), Label(name="sport"), Label(name="war")))
VALENCE = Guideline(low=-100, high=100, keep_words=("烂片",))
LIKENESS, PRICE = Guideline(low=0, high=5), Guideline(measure="ratio")
RELATIONS = Guideline(
    label=(
        Label(name="Live_In", head=("PER",), tail=("LOC",), aliases=("lives in",)),
        Label(name="Work_For", head=("PER",)),
    )
)
QUESTIONS, SOME_ANSWERED = Guideline(), Guideline(unanswerable=True)
TRANSLATIONS, SUMMARIES = Guideline(kind="translation", instruction="Into Chinese:"), Guideline(kind="summary")
FREE_ANSWERS = Guideline(kind="answer")
CAUSES = Guideline(label=(Label(name="Cause-Effect"), Label(name="Component-Whole")))
ENTITIES = Guideline(label=(Label(name="LOC"), Label(name="ORG"), Label(name="PER", aliases=("PERSON",))))


@dataclass(frozen=True)
class Example:
    """A record, the answer that stands in it, and how the recipe maps its fields."""

    task: str
    guideline: Guideline
    fields: dict[str, Any]
    given: Any
    columns: dict[str, str] = field(default_factory=dict)

    def made(self) -> tuple[Task, Row]:
        """The task, and the row with its answer settled."""
        own = task(self.task, self.guideline)
        row = own.shape(self.fields, self.columns)
        return own, own.with_answer(row, own.read_answer(self.given, self.fields, row))


def _said(*contents: str, system: str = "") -> list[dict[str, str]]:
    turns = [{"role": ("user", "assistant")[at % 2], "content": content} for at, content in enumerate(contents)]
    return [{"role": "system", "content": system}, *turns] if system else turns


CALL = '{"name": "weather", "arguments": {"city": "Rome"}}'
TOOLED = [
    {"role": "human", "content": "How warm is it in Rome right now?"},
    {"role": "function_call", "content": CALL},
    {"role": "observation", "content": '{"celsius": 31}'},
    {"role": "gpt", "content": "It is 31 degrees in Rome."},
]
ACCENTED = "Zoe\u0308 and Andre\u0301 met in Que\u0301bec."
EMOJI = "👩\u200d🚀 Sally flew to Houston ❤\ufe0f on Monday"

EXAMPLES = {
    "sentiment": Example(
        "classification", SENTIMENT, {"text": "I do not like it, though the cast shines."}, "negative"
    ),
    "sentiment zh": Example("classification", SENTIMENT, {"text": "这部电影并非烂片，大家都很喜欢。"}, "positive"),
    "pair": Example(
        "classification",
        SENTIMENT,
        {"one": "A man sleeps on the sofa.", "two": "Nobody is awake here."},
        "positive",
        {"text": "one", "text_pair": "two"},
    ),
    "topics": Example(
        "classification", TOPICS, {"text": "They played football between the trenches."}, ["war", "sport"]
    ),
    "no topic": Example("classification", TOPICS, {"text": "Nothing of note."}, []),
    "spans": Example(
        "tagging",
        ENTITIES,
        {"text": "Dr. O'Neil of Acme Corp. left New York's docks."},
        [[4, 10, "PER"], [14, 24, "ORG"], [30, 38, "LOC"]],
    ),
    "spans zh": Example(
        "tagging",
        ENTITIES,
        {"text": "马云在杭州创办了阿里巴巴，员工有GPT工程师20人。"},
        [[0, 2, "PER"], [3, 5, "LOC"], [8, 12, "ORG"]],
    ),
    "no span": Example("tagging", ENTITIES, {"text": "Nobody lives there any more."}, []),
    "whole text": Example("tagging", ENTITIES, {"text": "Acme"}, [[0, 4, "ORG"]]),
    "decomposed": Example("tagging", ENTITIES, {"text": ACCENTED}, [[0, 4, "PER"], [9, 15, "PER"], [23, 30, "LOC"]]),
    "emoji": Example("tagging", ENTITIES, {"text": EMOJI}, [[0, 9, "PER"], [18, 25, "LOC"], [26, 28, "ORG"]]),
    "tokens": Example(
        "tagging",
        ENTITIES,
        {"tokens": ["EU", "rejects", "German", "call", "to", "boycott", "British", "lamb", "."]},
        ["B-ORG", "O", "B-PERSON", "O", "O", "O", "B-LOC", "I-LOC", "O"],
    ),
    "tokens zh": Example(
        "tagging",
        ENTITIES,
        {"tokens": list("王小明住在北京市。")},
        ["B-PER", "I-PER", "I-PER", "O", "O", "B-LOC", "I-LOC", "I-LOC", "O"],
    ),
    "empty token": Example(
        "tagging",
        ENTITIES,
        {"tokens": ["In", "", "Paris", "", "Hilton", "sleeps"]},
        ["O", "O", "B-PER", "I-PER", "I-PER", "O"],
    ),
    "rating": Example("rating", VALENCE, {"text": "Two soldiers are not coming home, sadly."}, "-62,5"),
    "rating zh": Example("rating", VALENCE, {"text": "这部电影并非烂片，大家都很喜欢。"}, "８０"),
    "rated pair": Example(
        "rating",
        LIKENESS,
        {"one": "A man sleeps on the sofa.", "two": "Nobody is awake here."},
        3,
        {"text": "one", "text_pair": "two"},
    ),
    "rated without bounds": Example("rating", PRICE, {"text": "A small boat, well kept, for sale."}, 1250.5),
    "relations": Example(
        "relations",
        RELATIONS,
        {
            "text": "Last year, sadly, Anna of Acme Corp. left Rome, where she had lived for long.",
            "entities": [[18, 22, "PER"], [26, 36, "ORG", "Acme Corp."], [42, 46, "LOC"]],
        },
        [{"head": 0, "tail": 1, "type": "Work_For"}, {"head": 0, "tail": 2, "type": "lives in"}],
    ),
    "relations zh": Example(
        "relations",
        RELATIONS,
        {"text": "据说，马云住在杭州，这里很美。", "entities": [[3, 5, "PER"], [7, 9, "LOC"]]},
        [[0, 1, "Live_In"]],
    ),
    "marked pair": Example(
        "relations",
        CAUSES,
        {"text": "Nobody saw that the <e1>fire</e1> came from a <e2>spark</e2> in the kitchen."},
        "Cause-Effect(e2,e1)",
    ),
    "unrelated pair": Example(
        "relations", CAUSES, {"text": "A misty <e1>ridge</e1> uprises from the <e2>surge</e2>."}, "Other"
    ),
    "related tokens": Example(
        "relations",
        RELATIONS,
        {
            "tokens": ["Then", "", "Zoe\u0308", "Smith", "moved", "to", "Oslo", ",", "they", "say", "."],
            "entities": [{"start": 2, "end": 4, "type": "PER"}, {"start": 6, "end": 7, "type": "LOC"}],
        },
        [{"head": 0, "tail": 1, "type": "Live_In"}],
    ),
    "question": Example(
        "answering",
        QUESTIONS,
        {
            "context": "Anna Smith, who was born in 1901, lived near Rome for most of her life.",
            "question": "When, if ever, did Anna see the light of day?",
        },
        {"text": ["1901", "1901"], "answer_start": [28, 28]},
    ),
    "question zh": Example(
        "answering",
        QUESTIONS,
        {"passage": "据说，马云住在杭州，这里很美，人口约1200万。", "asked": "请问他住在什么地方？"},
        "杭州",
        {"context": "passage", "question": "asked"},
    ),
    "decomposed question": Example(
        "answering", QUESTIONS, {"context": ACCENTED, "question": "Whom did Zoe\u0308 meet?"}, [[9, 15]]
    ),
    "unanswered question": Example(
        "answering", SOME_ANSWERED, {"context": "Nobody lives there any more.", "question": "Who built this?"}, []
    ),
    "translation": Example(
        "writing",
        TRANSLATIONS,
        {"en": "In 1998 about 12,000 people lived there.", "zh": "1998年那里住着大约1.2万人。"},
        "1998年那里住着大约1.2万人。",
        {"source": "en", "target": "zh"},
    ),
    "summary zh": Example(
        "writing",
        SUMMARIES,
        {
            "source": "昨天下午，市里的老桥因为大雨关闭，行人要绕路走，直到周五才会重新开放。",
            "references": ["老桥关闭到周五。"],
        },
        "老桥因大雨关闭，周五开放。",
    ),
    "free answer": Example(
        "writing",
        FREE_ANSWERS,
        {"source": "Why, in short, did Anna not leave?", "context": "Anna stayed in Rome, as the trains did not run."},
        "The trains did not run.",
    ),
    "instruction": Example(
        "chat",
        Guideline(),
        {"messages": _said("Name the capital of France, not of `Spain`, in 1 word.", "Paris, of course.")},
        "Paris, of course.",
    ),
    "instruction zh": Example(
        "chat", Guideline(), {"messages": _said("请把“你好”翻译成英语，不要解释。", "Hello.")}, "Hello."
    ),
    "dialogue": Example(
        "chat",
        Guideline(),
        {
            "messages": _said(
                "Hello there!", "Hi, how can I help?", "北京有多少人口？", "北京大约有两千万人。", system="Be brief."
            )
        },
        "北京大约有两千万人。",
    ),
    "tools": Example(
        "chat", Guideline(), {"messages": TOOLED, "tools": [{"name": "weather"}]}, "It is 31 degrees in Rome."
    ),
}
"""By what is particular about them."""

TEXTS = [
    str(value)
    for example in EXAMPLES.values()
    for field in example.fields.values()
    for value in (field if isinstance(field, list) else [field])
]
