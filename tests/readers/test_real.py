"""Every public data set, as it was published: the counts of its README, and its known faults."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from pipeline.fetch import RawFile
from pipeline.readers import Broken, ReadOptions, Record, read
from pipeline.tagscheme import spans_from_tags
from tests.conftest import DATA

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not DATA.is_dir(), reason="no real data: set ASSAY_REAL_DATA to their folder"),
]
WNUT, WIKIGOLD = "ner_english/WNUT17/CONLL-format/data", "ner_english/wikigold/CONLL-format/data/wikigold.conll.txt"
BTC, WEIBO = "ner_english/BTC/CONLL-format/data", "ner_chinese_corrected"
CSL = {"names": ("task", "text", "label")}
EMOTIONS = {"names": ("text", "labels", "id")}


def all_of(name: str, format: str, **options: Any) -> list[Record | Broken]:
    return list(read(RawFile(name, DATA / name), format=format, options=ReadOptions(**options)))


def records(name: str, format: str, **options: Any) -> list[Record]:
    found = all_of(name, format, **options)
    assert not [one for one in found if isinstance(one, Broken)]
    return [one for one in found if isinstance(one, Record)]


@pytest.mark.parametrize(
    ("name", "format", "options", "count"),
    [
        (f"{WNUT}/train/wnut17train.conll", "conll", {}, 3394),
        (f"{WNUT}/dev/emerging.dev.conll", "conll", {}, 1009),
        (f"{WNUT}/test/emerging.test.annotated", "conll", {}, 1287),
        (WIKIGOLD, "conll", {}, 1696),
        (f"{WEIBO}/weiboNER_2nd_conll.train", "conll", {}, 1350),
        (f"{WEIBO}/weibo_v1_v2_train.jsonl", "jsonl", {}, 1349),
        ("intents_banking77/train.csv", "csv", {}, 10003),
        ("intents_banking77/test.csv", "csv", {}, 3080),
        ("multilabel_goemotions/train.tsv", "tsv", EMOTIONS, 43410),
        ("multilabel_goemotions/dev.tsv", "tsv", EMOTIONS, 5426),
        ("multilabel_goemotions/test.tsv", "tsv", EMOTIONS, 5427),
        ("chinese_csl/ts/dev.tsv", "tsv", CSL, 1000),
        ("chinese_csl/ts/test.tsv", "tsv", CSL, 1000),
        ("chinese_csl/cls_ctg/train.tsv", "tsv", CSL, 8000),
        ("chinese_csl/cls_ctg/dev.tsv", "tsv", CSL, 1000),
        ("chinese_csl/cls_ctg/test.tsv", "tsv", CSL, 1000),
        ("reasoning_gsm8k/train.jsonl", "jsonl", {}, 7473),
        ("reasoning_gsm8k/test.jsonl", "jsonl", {}, 1319),
        ("code_humaneval/HumanEval.jsonl.gz", "jsonl", {}, 164),
        ("crowd_labels/d_sentiment/label.csv", "csv", {}, 20000),
        ("crowd_snow2008/rte.standardized.tsv", "tsv", {}, 8000),
        ("chat_llamafactory/alpaca_en_demo.json", "alpaca", {}, 999),
        ("chat_llamafactory/alpaca_zh_demo.json", "alpaca", {}, 1000),
        ("chat_llamafactory/identity.json", "alpaca", {}, 91),
        ("chat_llamafactory/glaive_toolcall_en_demo.json", "sharegpt", {}, 300),
        ("chat_llamafactory/glaive_toolcall_zh_demo.json", "sharegpt", {}, 300),
        ("chat_llamafactory/dpo_en_demo.json", "sharegpt", {}, 300),
        ("chat_llamafactory/dpo_zh_demo.json", "sharegpt", {}, 300),
        ("chat_llamafactory/kto_en_demo.json", "messages", {}, 300),
        ("chat_llamafactory/reason_tool_use_demo_50.jsonl", "messages", {}, 50),
        ("chat_llamafactory/v1_sft_demo.jsonl", "messages", {}, 500),
        ("chat_llamafactory/v1_dpo_demo.jsonl", "messages", {"messages_field": "chosen_messages"}, 10),
    ],
)
def test_counts(name: str, format: str, options: dict[str, Any], count: int) -> None:
    assert len(records(name, format, **options)) == count


def test_btc_is_whole_with_its_empty_tokens() -> None:
    found = [record for part in "abefgh" for record in records(f"{BTC}/{part}.conll", "conll")]
    assert len(found) == 9339
    assert sum(note.endswith("the token is empty") for record in found for note in record.notes) == 6


@pytest.mark.parametrize(
    ("part", "count"),
    [("train", 15000), ("val", 3000), ("test", 4500), ("oos_train", 100), ("oos_val", 100), ("oos_test", 1000)],
)
def test_clinc_has_an_array_for_every_part(part: str, count: int) -> None:
    found = records("intents_clinc150/data_full.json", "json", json_path=part, names=("text", "label"))
    assert len(found) == count
    assert len({record.fields["label"] for record in found}) == (1 if part.startswith("oos") else 150)


def test_weibo_has_two_sentences_of_invalid_bytes() -> None:
    found = all_of(f"{WEIBO}/weiboNER.conll.train", "conll")
    broken = [one for one in found if isinstance(one, Broken)]
    assert len(found) == 1350
    assert {one.reason for one in broken} == {"invalid_encoding"}
    assert [one.place.rpartition(":")[2] for one in broken] == ["5866", "10863"]
    assert broken[0].evidence.startswith("line 5873: bytes ed a0 bd at byte 0")
    assert len(records(f"{WEIBO}/weiboNER.conll.train", "conll", invalid_bytes="replace")) == 1350


@pytest.mark.parametrize(
    ("name", "scheme", "entities", "illegal"),
    [
        (f"{WNUT}/train/wnut17train.conll", "iob2", 1975, 0),
        (WIKIGOLD, "io", 3558, 0),
        (f"{WEIBO}/weiboNER_2nd_conll.train", "iob2", 1895, 10),
    ],
)
def test_schemes_and_entities(name: str, scheme: str, entities: int, illegal: int) -> None:
    found = records(name, "conll")
    assert found[0].fields["schemes"] == {"1": scheme}
    decoded = [spans_from_tags(record.fields["tags"]["1"], scheme) for record in found]
    assert sum(len(spans) for spans, _ in decoded) == entities
    assert sum(len(repaired) for _, repaired in decoded) == illegal


def test_wikigold_keeps_its_documents() -> None:
    assert len({record.fields["document"] for record in records(WIKIGOLD, "conll")}) == 145


def test_tool_calls_are_the_assistants_and_tools_are_kept() -> None:
    found = records("chat_llamafactory/glaive_toolcall_en_demo.json", "sharegpt")
    roles = Counter(message["role"] for record in found for message in record.fields["messages"])
    assert roles == {"user": 746, "assistant": 746 + 211, "tool": 211}
    assert all(isinstance(record.fields["tools"], str) for record in found)
    reasoned = records("chat_llamafactory/reason_tool_use_demo_50.jsonl", "messages")
    texts = [message["content"] for record in reasoned for message in record.fields["messages"]]
    assert sum(text.startswith("<think>\n") for text in texts) == 112
