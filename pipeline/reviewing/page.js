// The page: lists, what is opened from them, the head, and what keys do.

import { choose, groupCard, lineCard, move, setMark, toGroup } from "/cards.js";
import {
  $, VERDICTS, WINDOW, ask, beginSeconds, ending, isOutdated, many, named, notice, number, percent, say, shorter, state, tried,
} from "/ground.js";
import { List } from "/list.js";
import { make, selected } from "/text.js";
import { decide, drawBar, goOn, step, undo } from "/verdict.js";

const FACTS_SECONDS = 10, PENDING_SECONDS = 2;

// -- the list

function drawnEntry(entry) {
  return entry.type === "group" ? drawnGroup(entry) : drawnLine(entry);
}

function drawnGroup(entry) {
  const left = entry.left < entry.lines ? `${number(entry.left)} of ${number(entry.lines)} left` : many(entry.lines, "line");
  return [
    make("div", { class: "entry-head" }, make("strong", {}, "Group"), make("span", {}, left),
      make("span", { class: "far" }, entry.done ? "done" : `${entry.value.toFixed(1)} errors/min`)),
    make("div", { class: "entry-text", dir: "auto" }, entry.says),
  ];
}

function drawnLine(entry) {
  const [before, judged, after] = entry.context;
  const marks = [entry.double && !entry.done ? "by two" : "", entry.blind ? "blind" : ""].filter(Boolean).join(", ");
  const change = entry.likely && entry.likely !== entry.given
    ? [shorter(named(entry.given), 18), " → ", shorter(named(entry.likely), 18)] : [shorter(named(entry.given || ""), 36)];
  const far = entry.done ? (VERDICTS[entry.verdict] || "done") : entry.score === null ? "" : percent(entry.score);
  return [
    make("div", { class: "entry-head" }, make("strong", {}, ...change), make("span", {}, marks), make("span", { class: "far" }, far)),
    make("div", { class: "entry-text", dir: "auto", lang: entry.language || null },
      judged ? ending(before, 12) : before, judged ? make("b", {}, judged) : "", after),
  ];
}

// Takes in the list of a later build: what is shown keeps its place in it, or has none (-1). What is written stays.
export async function takeIn() {
  while (isOutdated()) {
    tell(await ask("/api/about"));
    const name = state.group ? `group=${encodeURIComponent(state.group.group)}` : `line=${encodeURIComponent(state.shown ? state.shown.line : "")}`;
    state.at = (await ask(`/api/place?view=${state.view}&${name}`)).at;
    await state.list.load(state.at);
    if (!isOutdated()) notice("");
  }
}

// Opens an entry that was chosen in the list as it is shown, where that is by now.
async function opened(at) {
  if (!isOutdated()) return open(at);
  const entry = await state.list.entry(at);
  await takeIn();
  if (!entry) return undefined;
  const name = entry.type === "group" ? `group=${encodeURIComponent(entry.group)}` : `line=${encodeURIComponent(entry.line)}`;
  const found = (await ask(`/api/place?view=${state.view}&${name}`)).at;
  if (found < 0) say("It is not in the list any more.");
  return open(found);
}

async function showView(view, at) {
  await takeIn();
  state.view = view;
  $("view").value = view;
  const found = at === undefined ? (await ask(`/api/next?view=${view}&after=-1`)).at : at;
  await state.list.load(Math.max(found, 0));
  if (!state.list.count) {
    state.list.choose(-1);
    nothing();
    return;
  }
  await open(Math.max(found, 0));
}

export function nothing() {
  Object.assign(state, { shown: null, group: null });
  $("card").replaceChildren(make("p", { class: "empty" }, "Nothing is in this list."));
  $("bar").replaceChildren();
}

// -- what is judged

export async function open(at, { quiet = false } = {}) {
  if (at < 0 || at >= state.list.count) return;
  state.loading = true;
  const entry = await state.list.entry(at).catch((error) => {
    state.loading = false;
    throw error;
  });
  if (!entry) return;
  state.at = at;
  state.list.choose(at);
  if (entry.type === "group") await openGroup(entry.group);
  else await openLine(entry.line);
  document.body.dataset.pane = "detail";
  if (!quiet && (state.group || state.shown)) say(spoken(), false);
}

function fresh() {
  Object.assign(state, { right: null, mark: null, words: null, act: null, cause: null, without: new Set(), whole: false, doubted: "" });
  beginSeconds();
}

// Fetches what is to be shown; null where something else was asked for meanwhile. No verdict is taken until it is there:
// it would be one on what was shown before.
async function loaded(path) {
  const turn = state.turn + 1;
  Object.assign(state, { turn, loading: true });
  try {
    const told = await ask(path);
    return turn === state.turn ? told : null;
  } finally {
    if (turn === state.turn) state.loading = false;
  }
}

export async function openLine(line, whole = false, keep = whole) {
  const told = await loaded(`/api/line?line=${encodeURIComponent(line)}${whole ? "&whole=1" : ""}`);
  if (!told) return;
  if (!keep) fresh();
  Object.assign(state, { shown: told, group: null, scope: "line", whole });
  state.mark = null;
  drawCard();
}

// Shows what was refused as it is now; what was written and chosen there stays.
export async function openAgain() {
  state.act = null;
  await (state.group ? openGroup(state.group.group, true) : openLine(state.shown.line, state.whole, true));
}

export async function openGroup(group, keep = false) {
  const told = await loaded(`/api/group?group=${encodeURIComponent(group)}&count=${WINDOW}`);
  if (!told) return;
  if (!keep) fresh();
  Object.assign(state, { shown: null, group: told, scope: "group" });
  drawCard();
}

export function spoken() {
  if (state.group) return `Group: ${state.group.says} ${many(state.group.left, "line")} left.`;
  const { given, likely, blind } = state.shown;
  return blind ? `Judge without a proposal: ${named(given)}` : `${named(given)}${likely ? `, proposed ${named(likely)}` : ""}`;
}

export function drawCard({ focus = true } = {}) {
  $("card").replaceChildren(...(state.group ? groupCard(state.group) : lineCard(state.shown)));
  drawBar();
  if (!state.busy) drawn();
  if (focus) {
    if (document.activeElement !== $("list")) $("card").focus({ preventScroll: true });
    $("detail").scrollTop = 0;
    if (document.documentElement.scrollTop) scrollTo(0, 0);
    const answer = $("card").querySelector(".passage.answer");
    if (answer && answer.getBoundingClientRect().bottom > $("bar").getBoundingClientRect().top - 160) answer.scrollIntoView({ block: "center" });
    const asked = $("card").querySelector(".text mark.asked");
    const holder = asked && asked.closest(".text");
    if (holder && holder.scrollHeight > holder.clientHeight) holder.scrollTop = asked.offsetTop - holder.clientHeight / 2;
  }
}

// What is shown can be judged: tests wait for it.
export function drawn() {
  document.body.dataset.drawn = String(Number(document.body.dataset.drawn || 0) + 1);
}

// -- the head

export async function head() {
  const told = await ask("/api/head").catch(() => null);
  if (!told) return;
  const facts = told.facts || [];
  $("facts").replaceChildren(...facts.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
  $("say").textContent = told.say || "";
  if (told.trouble) notice(`The data set was rebuilt, but what is shown is still the build before: ${told.trouble}`);
  else if (!isOutdated()) notice("");
  clearTimeout(head.timer);
  if (told.pending) head.timer = setTimeout(head, PENDING_SECONDS * 1000);
}

// -- keys

const KEYS = {
  j: () => step(1), k: () => step(-1), n: () => tried(() => goOn()), w: () => decide("wrong"), f: () => decide("fine"),
  a: () => decide("ambiguous"), d: () => decide("drop"), g: toGroup, r: rule, u: () => undo(), y: () => $("why").focus(),
  "[": () => move(-1, 0), "{": () => move(1, 0), "]": () => move(0, 1), "}": () => move(0, -1), "?": () => $("help").showModal(),
  "/": () => $("find") && $("find").focus(),
};

export function rule() {
  if (!state.group || !state.group.is_rule) return;
  state.scope = state.scope === "rule" ? "group" : "rule";
  state.act = null;
  drawBar();
  say(state.scope === "rule" ? "Decide as a rule" : "Decide for these lines");
}

document.addEventListener("keydown", (event) => {
  const field = event.target.closest && event.target.closest("input:not([type=radio]):not([type=checkbox]), textarea, select");
  if (field) {
    if (event.key === "Escape" || (event.key === "Enter" && field.tagName === "INPUT")) {
      event.preventDefault();
      if (field.id === "find" && event.key === "Enter") takeFound();
      $("card").focus({ preventScroll: true });
    }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || !state.keys || $("help").open) return;
  if (/^[0-9]$/.test(event.key)) {
    chooseByKey(event.key);
    return;
  }
  const work = KEYS[event.key];
  if (!work || (event.repeat && !"jk[]{}".includes(event.key))) return;
  event.preventDefault();
  work();
});

function chooseByKey(key) {
  const shown = state.group || state.shown;
  const choice = shown && shown.choices && (key === "0" ? shown.choices.find((one) => one.label === "O") : shown.choices[Number(key) - 1]);
  if (choice) choose(choice.label);
}

function takeFound() {
  const input = document.querySelector(".choice:not(.out):not(.later) input, .choice:not(.out) input");
  if (input) choose(input.value);
}

// Where text of a markable passage is selected, that is the span.
function taken() {
  if (!state.shown || state.busy) return;
  for (const holder of document.querySelectorAll(".text[data-mark]")) {
    const found = selected(holder);
    if (!found) continue;
    const base = Number(holder.dataset.base);
    document.getSelection().removeAllRanges();
    setMark(found.map((offset) => offset + base));
  }
}

document.addEventListener("pointerup", () => setTimeout(taken, 0));
document.addEventListener("keyup", (event) => event.key === "Shift" && setTimeout(taken, 0));
document.addEventListener("selectionchange", () => {
  clearTimeout(taken.timer);
  if (matchMedia("(pointer: coarse)").matches) taken.timer = setTimeout(taken, 900);
});
$("bar").addEventListener("submit", (event) => event.preventDefault());
$("help-open").addEventListener("click", () => $("help").showModal());
$("to-list").addEventListener("click", () => {
  const pane = document.body.dataset.pane === "list" ? "detail" : "list";
  document.body.dataset.pane = pane;
  $("to-list").textContent = pane === "list" ? "Back" : "List";
  if (pane === "list") state.list.choose(state.at);
});
$("single-keys").addEventListener("change", (event) => { state.keys = event.target.checked; });
$("view").addEventListener("change", (event) => tried(() => showView(event.target.value)));
document.addEventListener("visibilitychange", () => !document.hidden && state.about && head());
setInterval(() => { if (!document.hidden && state.about) head(); }, FACTS_SECONDS * 1000);

function tell(about) {
  Object.assign(state, { about, version: about.version, lastAct: about.last_act });
  document.title = `Review ${about.name}`;
  $("title").textContent = about.title;
  $("who").textContent = `${about.who}, guideline ${about.guideline}`;
  $("view").replaceChildren(...about.views.map((one) => make("option", { value: one.name }, one.title)));
  $("view").value = state.view;
}

// A stretch of the list; none of it where that is of another build: its entries stand elsewhere there.
async function fetched(start, count) {
  const told = await ask(`/api/list?view=${state.view}&start=${start}&count=${count}`);
  return isOutdated() ? { count: state.list.count, entries: [] } : told;
}

async function begin() {
  history.replaceState(null, "", location.pathname);
  const about = await ask("/api/about");
  tell(about);
  const high = parseFloat(getComputedStyle(document.documentElement).fontSize) * 3.75;
  state.list = new List($("list"), {
    high, drawn: drawnEntry, opened: (at) => tried(() => opened(at)), fetched,
  });
  await showView("value", about.first);
  document.body.dataset.usable = Math.round(performance.now());
  head();
}

tried(begin);
