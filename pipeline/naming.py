"""What people call the fields of their files: which names say that a field plays which part, in English and Chinese."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# What people call the columns that play each part, most telling first; compared without case and underscores.
NAMES = {
    "id": ("id", "uid", "guid", "uuid", "qid", "rowid", "exampleid", "sentenceid", "编号", "序号"),
    "text": ("text", "sentence", "content", "review", "comment", "utterance", "question", "query", "body", "message",
             "document", "headline", "title", "tweet", "sentence1", "premise", "text1",
             "question1", "文本", "内容", "正文", "句子", "评论", "标题"),
    "text_pair": ("textpair", "text2", "sentence2", "hypothesis", "question2", "answer", "passage"),
    "label": ("label", "labels", "category", "class", "intent", "sentiment", "target", "tag", "topic", "y",
              "emotion", "polarity", "标签", "类别", "分类", "情感", "意图"),
    "annotator": ("annotator", "worker", "workerid", "annotatorid", "coder", "rater", "labeler", "labeller",
                  "标注者", "标注员", "标注人", "标注人员"),
    "split": ("split", "fold", "subset", "partition"),
    "group": ("group", "documentid", "docid", "conversationid", "dialogid", "threadid", "articleid", "document"),
    "language": ("language", "lang", "locale", "语言", "语种"),
    "time": ("annotatedat", "labeledat", "labelledat", "标注时间", "time", "timestamp"),
    "date": ("date", "createdat", "created", "createdon", "datetime", "posted", "published", "日期", "时间"),
    "spans": ("spans", "entities", "label", "labels", "annotations"),
    "tokens": ("tokens", "words", "chars", "characters"),
    "tags": ("nertags", "tags", "labels", "label"),
    "gold": ("gold", "goldlabel", "truth", "groundtruth", "correctlabel", "标准答案"),
    "answer": ("response", "answer", "judgment", "judgement", "annotation", "vote", "rating", "score", "回答"),
    "row": ("item", "itemid", "row", "rowid", "unit", "unitid", "textid"),
    "rating": ("rating", "ratings", "score", "scores", "response", "stars", "similarity", "value", "grade", "points",
               "mean", "label", "评分", "打分", "分数"),
    "entities": ("entities", "spans", "mentions", "entitymentions"),
    "relations": ("relations", "relation", "triples", "relationmentions", "relationlist"),
    "translation": ("translation", "mt", "machinetranslation", "译文"),
    "question": ("question", "query", "questiontext", "问题"),
    "context": ("context", "passage", "paragraph", "contexttext", "story", "article", "document", "text", "上下文",
                "文章"),
    "answers": ("answers", "answer", "answerspans", "spans", "答案"),
    "source": ("source", "src", "sourcetext", "original", "dialogue", "article", "document", "question", "input",
               "text", "prompt", "content", "原文"),
    "target": ("target", "tgt", "targettext", "translation", "summary", "highlights", "headline", "abstract", "answer",
               "output", "response", "reference", "pe", "mt", "title", "译文", "摘要", "标题", "答案"),
    "references": ("references", "refs", "summaries", "targets"),
}  # fmt: skip

# Words that a name of a part ends with, or begins with, where it is not called so outright: ticket_id, review_text.
WORDS = {
    "id": {"id", "ids", "uid", "guid", "uuid", "nr", "no"},
    "text": {"text", "body", "content", "message", "sentence", "comment", "review", "utterance", "description"},
    "label": {"label", "labels", "category", "class", "intent", "sentiment", "emotion", "polarity", "topic"},
    "annotator": {"annotator", "worker", "coder", "rater", "labeler", "labeller"},
    "split": {"split"},
    "group": {"document", "doc", "conversation", "dialog", "dialogue", "thread", "article", "session"},
    "language": {"language", "lang"},
    "time": {"timestamp"},
    "date": {"date", "datetime", "created", "at", "on", "time"},
}
# The same where words are not parted.
ENDINGS = {
    "id": ("编号", "序号"),
    "text": ("文本", "内容", "正文", "评论", "句子"),
    "label": ("标签", "类别", "分类", "情感", "意图"),
    "annotator": ("标注者", "标注员", "标注人", "标注人员"),
    "group": ("文档编号", "会话编号", "对话编号"),
    "language": ("语言", "语种"),
    "time": ("标注时间",),
    "date": ("时间", "日期"),
}
LAST_ONLY = {"date", "id"}
"""Parts whose words say nothing at the beginning of a name: `date_range`, `no_reply`, `on_hold`."""
STRONG = {
    "id": ("annotator", "group"), "text": ("id", "date", "language"), "label": ("id", "annotator", "date", "time"),
    "date": ("time",), "language": ("id",),
}  # fmt: skip
"""Parts that a name plays rather than the one before the colon: a comment_id is no comment."""
PEOPLE = {"agent", "reviewer", "user", "author", "editor", "operator", "owner", "customer", "client", "by"}
ACTS = {"annotation", "annotations", "assignment", "assignments", "judgment", "judgments", "judgement", "hit"}
"""What an id is of that stands once for each answer, and so is no row's."""
PEOPLE_ENDINGS = ("客服", "审核员", "用户", "作者", "人员")
SOURCES = {"source", "origin", "dataset", "来源", "数据来源"}


def plain(name: str) -> str:
    """A name as it is compared."""
    return re.sub(r"[\s_-]+", "", name).lower()


def words(name: str) -> list[str]:
    """The words of a name, however they are parted.

    >>> words("Ticket ID"), words("createdAt"), words("msg-text")
    (['ticket', 'id'], ['created', 'at'], ['msg', 'text'])
    """
    return re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", unicodedata.normalize("NFKC", name)).lower())


def fields(good: Sequence[Mapping[str, Any]]) -> list[str]:
    """All fields of the records, in the order in which they are met."""
    return list(dict.fromkeys(name for record in good for name in record))


def played(good: Sequence[Mapping[str, Any]], part: str) -> str | None:
    """The field that by its name plays a part."""
    there = {plain(name): name for name in fields(good)}
    return next((there[name] for name in NAMES[part] if name in there), None)


def candidates(good: Sequence[Mapping[str, Any]], part: str) -> list[str]:
    """The fields whose names say that they may play a part, the most telling first."""
    exact = {plain(name): name for name in fields(good)}
    first = [exact[name] for name in NAMES[part] if name in exact]
    return list(dict.fromkeys([*first, *(name for name in fields(good) if _is_called(name, part))]))


def _is_called(name: str, part: str) -> bool:
    """Whether a name ends or begins with a word for a part, and with no word for another that says more."""
    own, joined = words(name), plain(name)
    others = {other for other in STRONG.get(part, ()) if _is_called(name, other)}
    if not own or others or (part == "id" and (PEOPLE | ACTS).intersection(own)):
        return False
    if part == "annotator" and own[-1] in WORDS["id"]:
        own = own[:-1] or own
    if joined.endswith(ENDINGS.get(part, ())):
        return True
    ends = own[-1] in WORDS[part] or (own[0] in WORDS[part] and not own[-1].isdigit() and part not in LAST_ONLY)
    return ends and (part != "group" or own[-1] in WORDS["id"])


def names_people(name: str) -> bool:
    """Whether a field says who did something, which need not be who labelled the row."""
    return bool(PEOPLE.intersection(words(name))) or name.endswith(PEOPLE_ENDINGS)


def why(name: str) -> str:
    """What there is to say of a field that plays no part, by its name alone."""
    if names_people(name):
        return "if it says who labelled a row, make it the annotator"
    if ACTS.intersection(words(name)) and words(name)[-1] in WORDS["id"]:
        return "the id of an answer, not of a row"
    if plain(name) in SOURCES:
        return "files of several sources are several [[ingest.source]]"
    return ""
