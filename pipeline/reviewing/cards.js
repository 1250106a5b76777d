// The cards: a line and a group as they are shown, with all that is known of them.

import {
  $, KINDS, VERDICTS, WINDOW, ask, many, named, number, percent, quoted, say, shorter, state, tried,
} from "/ground.js";
import { drawCard, openGroup, openLine, spoken } from "/page.js";
import { make, marked, points } from "/text.js";
import { drawBar, undo } from "/verdict.js";

function badges(told) {
  return make("p", { class: "badges" },
    make("span", { class: "badge" }, KINDS[told.kind] || told.kind),
    told.double ? make("span", { class: "badge" }, "judged by two") : "",
    told.blind ? make("span", { class: "badge strong" }, "judged without a proposal") : "",
    told.verdict ? make("span", { class: "badge good" }, `you: ${VERDICTS[told.verdict] || told.verdict}`) : "",
    told.conflict ? make("span", { class: "badge bad" }, "people differ") : "",
    make("span", { class: "row" }, told.row));
}

export function lineCard(told) {
  return [
    badges(told),
    told.note ? make("p", { class: "note" }, told.note) : "",
    make("div", { class: `passages ${told.passages.some((one) => one.role) ? "turns" : ""}` }, told.passages.map(passageCard)),
    asked(told),
    told.conflict || told.others.length ? othersCard(told) : "",
    choicesCard(told),
    writing(told),
    told.group ? make("p", { class: "to-group" }, make("button", { type: "button", onclick: toGroup },
      `Group of ${many(told.group.lines, "line")}`, make("kbd", {}, "g")), " ", told.group.says) : "",
    annotatorsCard(told), nearCard(told), earlierCard(told), guidelineCard(told),
  ].filter(Boolean);
}

function passageCard(told) {
  const judged = told.mark ? (state.mark || told.judged) : null;
  const spans = state.mark && told.judged && state.right !== null
    ? told.spans.filter(([s, e]) => !(s < state.mark[1] && state.mark[0] < e)) : told.spans;
  const holder = marked({ ...told, spans }, judged);
  holder.dataset.base = told.base;
  if (told.mark) holder.dataset.mark = "1";
  return make("section", { class: `passage${told.answer ? " answer" : ""} role-${told.role || "none"}` },
    make("h3", {}, told.title, told.answer ? make("span", { class: "badge" }, "judged") : ""),
    told.base ? more(`${number(told.base)} characters before`) : "",
    holder,
    told.after ? more(`${number(told.after)} characters more`) : "");
}

function more(text) {
  return make("p", { class: "more" }, make("button", { type: "button", class: "quiet", onclick: () => tried(() => openLine(state.shown.line, true)) },
    `${text}: show all`));
}

// What was given, what is proposed and why.
export function asked(told) {
  const spelled = told.part === "" && !["label", "labels"].includes(told.asks);
  const given = spelled ? told.answer || told.given : named(told.given);
  const likely = told.blind ? "" : told.likely_words || (told.likely ? named(told.likely) : "");
  const stands = spelled && told.passages.some((one) => one.answer);
  return make("div", { class: "asked-for" },
    make("p", {}, stands ? "" : [make("span", { class: "small" }, "Given"), " ", make("strong", { dir: "auto" }, shorter(given || "nothing", 400))],
      likely && likely !== given ? [make("span", { class: "small" }, " proposed "), make("strong", { class: "proposed", dir: "auto" }, shorter(likely, 400))] : "",
      told.score !== null ? make("span", { class: "small" }, ` ${percent(told.score)} likely to be wrong`) : ""),
    told.rejected ? make("p", { class: "small" }, `Held back: ${told.rejected}`) : "",
    told.why.length ? make("ul", { class: "why" }, told.why.map((why) => make("li", { dir: "auto" }, why))) : "",
    told.blind ? make("p", { class: "small" }, "Say what is right before you are shown what is proposed.") : "");
}

function choicesCard(told) {
  if (!told.choices || !told.choices.length) return "";
  const isMany = told.choices.length > 10;
  const box = make("fieldset", { class: "choices" }, make("legend", {}, "What is right"));
  if (isMany) {
    box.append(make("p", {}, make("label", { for: "find" }, "Find a label "), make("input", { id: "find", type: "search", autocomplete: "off", oninput: (event) => narrow(event.target.value) })));
  }
  told.choices.forEach((choice, at) => box.append(choiceLine(choice, at, told)));
  return box;
}

function choiceLine(choice, at, told) {
  const key = choice.label === "O" ? "0" : at < 9 ? String(at + 1) : "";
  const isProposed = !told.blind && told.likely === choice.label;
  const input = make("input", { type: "radio", name: "right", value: choice.label, checked: state.right === choice.label, onchange: () => choose(choice.label) });
  const rows = choice.rows ? make("span", { class: "small" }, many(choice.rows, "row")) : "";
  if (choice.like) {
    return make("label", { class: "choice rival" }, input, key ? make("kbd", {}, key) : "",
      make("span", { class: "rival-answer" }, make("strong", { dir: "auto" }, choice.name), choice.passage ? marked(choice.passage, null) : ""), rows);
  }
  return make("label", { class: `choice${at >= 9 && !key ? " later" : ""}`, title: choice.definition || null }, input,
    key ? make("kbd", {}, key) : "", make("span", { dir: "auto" }, choice.name),
    isProposed ? make("span", { class: "small" }, "proposed") : "", rows,
    told.given === choice.label ? make("span", { class: "small" }, "given") : "");
}

function narrow(text) {
  const wanted = text.trim().toLowerCase();
  for (const label of document.querySelectorAll(".choice")) {
    const fits = !wanted || label.textContent.toLowerCase().includes(wanted);
    label.classList.toggle("out", !fits);
    label.classList.toggle("later", !wanted && !label.querySelector("kbd"));
  }
}

// Answers that are written: texts, numbers, relations; a stretch of the context is selected.
function writing(told) {
  if (told.asks === "extract") {
    return make("p", { class: "note" }, state.mark ? "The marked stretch is the answer: w." : "Select what answers the question in the context, then w. ",
      make("button", { type: "button", class: "quiet", onclick: () => { state.right = "O"; state.mark = null; drawCard({ focus: false }); } }, "No answer there"),
      state.right === "O" ? " Chosen: no answer." : "");
  }
  if (told.asks === "spans" && told.part) return ends(told);
  if (!["text", "rating", "relations", "spans"].includes(told.asks)) return "";
  const attributes = { id: "words", dir: "auto", oninput: (event) => wrote(event.target.value) };
  const field = told.asks === "rating" ? make("input", { ...attributes, type: "text", inputmode: "decimal" }) : make("textarea", { ...attributes, rows: 3 });
  field.value = state.words === null ? told.likely_words || told.answer : state.words;
  const how = told.asks === "spans" ? "What is right, every span as [words|LABEL]" : "What is right";
  return make("p", { class: "writing" }, make("label", { for: "words" }, rival(told) ? `None of these: ${how[0].toLowerCase()}${how.slice(1)}` : how), field);
}

function wrote(words) {
  Object.assign(state, { words, act: null, right: null });
  for (const input of document.querySelectorAll("input[name=right]")) input.checked = false;
  drawBar();
}

// Whether answers of several rows are offered, and which of them a choice is.
export const rival = (told, label) => (told.choices || []).find((one) => one.like && (label === undefined || one.label === label));

// The ends of a span, for those who do not select with a pointer.
function ends(told) {
  const passage = told.passages.find((one) => one.mark);
  const mark = state.mark || (passage && passage.judged);
  if (!mark) return make("p", { class: "note" }, "Select text to mark a span.");
  const step = (label, key, by) => make("button", { type: "button", class: "quiet", "aria-label": label, title: label, onclick: () => move(...by) }, key);
  return make("p", { class: "ends" }, make("span", { class: "small" }, "Ends of the span, or select text: "),
    step("Begin one character earlier", "⇤ [", [-1, 0]), step("Begin one character later", "⇥ {", [1, 0]),
    step("End one character earlier", "} ⇤", [0, -1]), step("End one character later", "] ⇥", [0, 1]));
}

export function move(first, last) {
  const passage = state.shown && state.shown.passages.find((one) => one.mark);
  const mark = passage && (state.mark || passage.judged);
  if (!mark) return;
  const moved = [mark[0] + first, mark[1] + last];
  if (moved[0] >= moved[1] || moved[0] < passage.base || moved[1] > passage.base + points(passage.text)) return;
  setMark(moved);
}

export function setMark(mark) {
  state.mark = mark;
  state.act = null;
  if (state.right === null && state.shown.asks === "spans") {
    const { likely, given, blind } = state.shown;
    state.right = !blind && likely && likely !== "O" ? likely : given !== "O" && !given.includes(" at ") ? given : null;
  }
  drawCard({ focus: false });
  const passage = state.shown.passages.find((one) => one.mark);
  const text = [...passage.text].slice(mark[0] - passage.base, mark[1] - passage.base).join("");
  say(`Marked “${shorter(text, 60)}”${state.right ? ` as ${named(state.right)}` : ": choose a label"}`, state.right === null);
}

export function choose(label) {
  const shown = state.group || state.shown, taken = rival(shown, label);
  state.right = label;
  state.act = null;
  if (taken) {
    Object.assign(state, { mark: null, words: null });
    if ($("words")) $("words").value = shown.likely_words || shown.answer || "";
  }
  for (const input of document.querySelectorAll("input[name=right]")) input.checked = input.value === label;
  if (state.mark) drawCard({ focus: false });
  drawBar();
  say(`${taken ? taken.name : named(label)} chosen`, false);
}

// -- what else is known

function section(title, content, isOpen = true) {
  return make("details", { class: "more-known", open: isOpen }, make("summary", {}, title), content);
}

function annotatorsCard(told) {
  if (!told.annotators.length) return "";
  const rows = told.annotators.map((one) => make("li", { class: one.counts === "counted" ? "" : "quiet-line" },
    make("b", {}, one.who || "no name"), " ", make("span", { dir: "auto" }, shorter(one.answer, 300)),
    one.counts === "counted" ? "" : make("span", { class: "small" }, ` (${one.counts}${one.problem ? `: ${one.problem}` : ""})`)));
  const several = told.annotators.filter((one) => one.counts === "counted").length > 1;
  const split = several ? Object.entries(told.shares).map(([label, share]) => `${named(label)} ${percent(share)}`).join(", ") : "";
  return section(`Annotators (${told.annotators.length})`, [split ? make("p", { class: "small" }, split) : "", make("ul", {}, rows)], told.annotators.length < 12);
}

function nearCard(told) {
  if (!told.near.length) return "";
  const rows = told.near.map((one) => make("li", {},
    one.blind ? "" : make("span", { class: `badge ${one.differs ? "bad" : ""}` }, one.differs ? "answered otherwise" : "answered alike"), " ",
    make("span", { dir: "auto" }, one.text), " ", make("b", { dir: "auto" }, one.answer), " ",
    make("span", { class: "small" }, `${[one.kind, one.why].filter(Boolean).join(", ")} (${one.id})`)));
  return section(`Rows like it (${told.near.length})`, make("ul", {}, rows));
}

function earlierCard(told) {
  if (told.hidden) return make("p", { class: "small" }, "Two people judge this line; what another said is shown after your own verdict.");
  if (!told.earlier.length) return "";
  return section(`Decisions on this row (${told.earlier.length})`, make("ul", {}, told.earlier.map((one) => make("li", {}, decided(one), one.mine
    ? make("button", { type: "button", class: "quiet", onclick: () => undo(one.act) }, "Undo") : ""))));
}

function decided(one) {
  const shares = Object.entries(one.shares).map(([label, share]) => `${named(label)} ${percent(share)}`).join(", ");
  const answer = one.verdict === "wrong" ? ` → ${named(one.answer)}` : shares ? ` (${shares})` : "";
  return [make("b", {}, one.who), ` ${VERDICTS[one.verdict].toLowerCase()}`, make("span", { dir: "auto" }, shorter(answer, 200)),
    one.part && !one.here ? ` at ${one.part}` : "", make("span", { class: "small" }, ` ${one.when.slice(0, 10)}, ${one.why}`), " "];
}

function othersCard(told) {
  const own = told.earlier.find((one) => one.mine && one.here);
  const agree = own && told.others.every((one) => one.verdict === own.verdict && one.answer === own.answer);
  return make("div", { class: `others ${told.conflict ? "bad" : ""}` },
    make("p", {}, told.conflict ? "People differ on this line: your next verdict settles it." : agree ? "You agree." : "Others said:"),
    make("ul", {}, told.others.map((one) => make("li", {}, decided(one)))));
}

function guidelineCard(told) {
  const wanted = new Set([told.given, told.likely, ...Object.keys(told.shares)]);
  const known = told.choices.filter((one) => one.definition && (wanted.has(one.label) || told.choices.length < 6 || ["yes", "no"].includes(one.label)));
  if (!known.length) return "";
  const seen = new Map(known.map((one) => [one.definition, one]));
  return section(`Guideline, version ${told.guideline}`, make("dl", { class: "guideline" }, [...seen.values()].map((one) => make("div", {},
    make("dt", {}, ["yes", "no"].includes(one.label) ? told.part : one.name), make("dd", { dir: "auto" }, one.definition,
      one.examples && one.examples.length ? make("span", { class: "small" }, ` So: ${quoted(one.examples)}`) : "",
      one.not && one.not.length ? make("span", { class: "small" }, ` Not so: ${quoted(one.not)}`) : "")))));
}

// -- groups

export function groupCard(told) {
  const facts = [
    ["lines", `${number(told.left)} of ${number(told.lines)} left`], ["rows", number(told.rows)], ["errors expected", told.expected.toFixed(1)],
    ["doubtful", number(told.doubtful)], ["minutes", told.minutes.toFixed(1)], ["errors per minute", told.value.toFixed(1)],
  ];
  const sure = told.members.filter((one) => !one.doubtful), doubtful = told.members.filter((one) => one.doubtful);
  return [
    make("p", { class: "badges" }, make("span", { class: "badge strong" }, "group"), make("span", { class: "badge" }, KINDS[told.kind] || told.kind),
      told.done ? make("span", { class: "badge good" }, "all judged") : ""),
    make("h2", { dir: "auto" }, told.says),
    make("dl", { class: "facts small-facts" }, facts.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value)))),
    make("p", {}, effect(told)),
    told.ruled.length ? make("ul", {}, told.ruled.map((one) => make("li", {}, "Ruled: ", decided(one), one.mine ? make("button", { type: "button", class: "quiet", onclick: () => undo(one.act) }, "Undo") : ""))) : "",
    choicesCard({ ...told, given: told.given, blind: false }),
    told.kind === "conflict" && told.asks !== "extract" ? writing({ ...told, part: "", likely_words: "" }) : "",
    members("Examples, the surest first", sure, told), members("What stays doubtful: look before you decide for all", doubtful, told),
    told.start + told.members.length < told.listed ? make("p", {}, make("button", { type: "button", class: "quiet", onclick: () => tried(moreMembers) }, `Show more of ${number(told.listed)}`)) : "",
  ].filter(Boolean);
}

function effect(told) {
  const change = told.likely ? `${named(told.given)} becomes ${named(told.likely)}` : "the answer that you choose holds";
  const rule = told.is_rule ? ` As a rule it touches ${many(told.touches, "part")} of the data, ${number(told.beyond)} of them not listed here, and what comes later.` : "";
  const double = told.double ? ` ${many(told.double, "line")} will be judged by a second person too.` : "";
  return `For the lines: in ${number(told.left)}, ${change}.${rule}${double}`;
}

function members(title, found, told) {
  if (!found.length) return "";
  return make("section", { class: "members" }, make("h3", {}, title), make("ul", {}, found.map((one) => {
    const [before, judged, after] = one.context;
    const input = make("input", { type: "checkbox", checked: !state.without.has(one.line) && !one.done, disabled: one.done, "aria-label": `Take in: ${shorter(judged || before, 60)}`, onchange: (event) => leave(one.line, !event.target.checked) });
    return make("li", { class: one.done ? "done" : "" }, input, make("div", { class: "context", dir: "auto", lang: one.language || null }, before, judged ? make("mark", { class: "asked" }, judged) : "", after),
      one.number ? make("span", { class: "badge" }, `answer ${one.number}`) : "",
      make("span", { class: "small" }, one.done ? (VERDICTS[one.verdict] || "judged") : one.score === null ? "" : percent(one.score)),
      make("button", { type: "button", class: "quiet", "aria-label": `Look at this line: ${shorter(judged || before, 60)}`, onclick: () => tried(() => openLine(one.line)) }, "Look"));
  })), told.left > told.members.length ? "" : "");
}

function leave(line, isOut) {
  if (isOut) state.without.add(line);
  else state.without.delete(line);
  if (isOut && state.scope === "rule") state.scope = "group";
  state.act = null;
  drawBar();
}

async function moreMembers() {
  const told = state.group, next = await ask(`/api/group?group=${encodeURIComponent(told.group)}&start=${told.start + told.members.length}&count=${WINDOW}`);
  told.members.push(...next.members);
  drawCard({ focus: false });
}

export async function toGroup() {
  if (state.busy) return;
  await tried(async () => {
    if (state.group) {
      const first = state.group.members.find((one) => !one.done) || state.group.members[0];
      if (first) await openLine(first.line);
    } else if (state.shown && state.shown.group) await openGroup(state.shown.group.group);
    say(spoken(), false);
  });
}
