"""Data Docs: the pages of Great Expectations, made safe to open: no scripts, nothing fetched, data escaped.

Great Expectations 1.24 puts unexpected values into its pages as they are, so a row id can carry a script, and its pages
load styles, scripts and images from seven hosts. Here all text of a result is escaped before it is rendered, whatever
would be fetched or run is taken out, and a content security policy forbids the rest. Characters that cannot be seen, or
turn text around, are spelled out.
"""

from __future__ import annotations

import copy
import html
import re
from typing import TYPE_CHECKING, Any

from pipeline.text import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pipeline.gate.frame import Frame
    from pipeline.gate.verdict import Verdict

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_ACTIVE = re.compile(
    r"<script\b.*?</script>|<iframe\b.*?</iframe>|<footer\b.*?</footer>|<(?:link|img|meta http-equiv)\b[^>]*>",
    re.DOTALL | re.IGNORECASE,
)
# The pages that Great Expectations links to are not made here: all but links within the page lead to the index.
_LINK = re.compile(r"""href=(["'])(?!#).*?\1""", re.DOTALL)
_HANDLER = re.compile(r"""\son[a-z]+=(["']).*?\1""", re.DOTALL)
_RANDOM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\d{8}T\d{6}\.\d{6}Z")
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:1rem auto;max-width:70rem;padding:0 1rem;word-break:break-word}"
    "table{border-collapse:collapse;width:100%}td,th{border:1px solid #ccc;padding:.3rem .5rem;text-align:left;"
    "vertical-align:top}.show-scrollbars{overflow:auto;max-height:12rem}.collapse,nav{display:block}input,label{display:none}"
    "i.text-success::before{content:'met'}i.text-danger::before{content:'missed';color:#b00;font-weight:bold}"
    "i.text-warning::before{content:'crashed';color:#b00;font-weight:bold}"
)
_WARNING = (
    "<p>Values that could not be measured count as met on this page; "
    'the <a href="index.html">verdicts</a> tell them apart.</p>'
)
SHOWN = 20


def write_docs(
    folder: Path, validations: Mapping[str, Any], frames: Mapping[str, Frame], verdicts: Sequence[Verdict], title: str
) -> None:
    """One page per frame and an index with the verdicts, in `folder`; the same bytes for the same results.

    Great Expectations takes what was not measured for met, so each page points to the verdicts, which do not.
    """
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
    from great_expectations.render.view import DefaultJinjaPageView

    folder.mkdir(parents=True)
    lines, view = [], DefaultJinjaPageView()
    for name, validation in validations.items():
        page = view.render(ValidationResultsPageRenderer().render(_escaped(validation)))
        (folder / f"{name}.html").write_text(_safe(_tamed(page)), encoding="utf-8")
        kept = sum(bool(result.success) for result in validation.results)
        count = f"{kept} of {len(validation.results)} expectations met, {len(frames[name].table):,} lines"
        lines.append(f'<li><a href="{html.escape(name)}.html">{html.escape(name)}</a>: {count}</li>')
    index = (
        f"<!doctype html><html lang=en><head><meta charset=utf-8><title>Data Docs</title></head><body>"
        f"<h1>Data Docs of {html.escape(title)}</h1><ul>{''.join(lines)}</ul>{_verdict_table(verdicts)}</body></html>"
    )
    (folder / "index.html").write_text(_safe(index), encoding="utf-8")


def _verdict_table(verdicts: Sequence[Verdict]) -> str:
    lines = [(verdict.verdict, verdict.gate, verdict.said) for verdict in verdicts]
    cells = ["".join(f"<td>{html.escape(cell)}</td>" for cell in line) for line in lines]
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in cells)}</table>"


def _escaped(validation: Any) -> Any:
    """A copy whose values are shortened and escaped, without tracebacks and times, which differ from run to run."""
    clean = copy.copy(validation)
    clean.meta = {**validation.meta, "validation_time": "", "run_id": {"run_name": "gate", "run_time": ""}}
    clean.results = [_escaped_result(result) for result in sorted(validation.results, key=_gate)]
    return clean


def _gate(result: Any) -> str:
    return str(result.expectation_config.meta["gate"])


def _escaped_result(result: Any) -> Any:
    clean = copy.copy(result)
    clean.result = _escape({key: value for key, value in result.result.items() if key != "unexpected_index_query"})
    info = result.exception_info
    parts = [info] if "raised_exception" in info else list(info.values())
    raised = [html.escape(str(part["exception_message"])) for part in parts if part.get("raised_exception")]
    clean.exception_info = {
        "raised_exception": bool(raised),
        "exception_message": "; ".join(sorted(set(raised))) or None,
        "exception_traceback": "",
    }
    return clean


def _escape(value: Any) -> Any:
    """Every text inside, escaped; a `$` would be taken for a placeholder of the templates."""
    if isinstance(value, str):
        return html.escape(value).replace("$", "&#36;")
    if isinstance(value, dict):
        return {key: _escape(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_escape(member) for member in value[:SHOWN]]
    return value


def _tamed(page: str) -> str:
    """A page of Great Expectations without anything that runs, is fetched, leads away or differs from run to run."""
    tamed = _RANDOM.sub("0", _LINK.sub('href="index.html"', _HANDLER.sub("", _ACTIVE.sub("", page))))
    return tamed.replace("<body>", f"<body>{_WARNING}", 1)


def _safe(page: str) -> str:
    """The page with nothing hidden, our own style, and a policy that lets nothing run or be fetched."""
    page = visible(page)
    policy = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    width = '<meta name="viewport" content="width=device-width">'
    return page.replace("<head>", f"<head>{policy}", 1).replace("</head>", f"{width}<style>{_STYLE}</style></head>", 1)
