// The verdict: the bar with its buttons, what is sent, and taking it back.

import { $, VERDICTS, ask, isOutdated, many, named, number, say, shorter, state, takenSeconds, tried } from "/ground.js";
import { drawn, head, nothing, open, openAgain, openGroup, openLine, takeIn } from "/page.js";
import { rival } from "/cards.js";
import { make } from "/text.js";

const REASONS = ["clear from the text", "against the guideline", "cannot be told", "not worth keeping"];

// -- the verdict

export function drawBar() {
  const shown = state.group || state.shown;
  if (!shown) return;
  const right = state.right !== null ? state.right : shown.blind ? "" : shown.likely || "";
  const label = state.mark && shown.asks === "extract" ? "what is marked" : state.words !== null ? "what is written" : rival(shown, right) ? `answer ${shown.choices.indexOf(rival(shown, right)) + 1}` : right ? shorter(state.right === null && shown.likely_words || named(right), 24) : "";
  const button = (verdict, key, text) => make("button", { type: "button", class: `verdict ${verdict}`, onclick: () => decide(verdict) }, make("span", {}, text), make("kbd", {}, key));
  const isOpen = Boolean(document.querySelector(".reason[open]"));
  const why = $("why") ? $("why").value : "", cause = state.cause ?? shown.kind === "relabel";
  $("bar").replaceChildren(
    state.group ? scopes(shown) : "",
    make("div", { class: "verdicts", role: "group", "aria-label": "Verdict" },
      button("wrong", "w", label ? `Wrong → ${label}` : "Wrong"), isContrary(shown) ? "" : button("fine", "f", "Fine"), button("ambiguous", "a", "Ambiguous"), button("drop", "d", "Drop"),
      make("button", { type: "button", class: "quiet", onclick: () => undo() }, make("span", {}, "Undo"), make("kbd", {}, "u")),
      make("button", { type: "button", class: "quiet", onclick: () => step(1) }, make("span", {}, "Next"), make("kbd", {}, "j"))),
    make("details", { class: "reason", open: isWide() || isOpen }, make("summary", {}, "Why, and how split"), make("div", {},
      make("label", { for: "why" }, "Why"), make("input", { id: "why", list: "reasons", autocomplete: "off", placeholder: "optional", value: why }),
      make("datalist", { id: "reasons" }, REASONS.map((reason) => make("option", { value: reason }))),
      make("label", { class: "cause" }, make("input", { id: "cause", type: "checkbox", checked: cause, onchange: (event) => { state.cause = event.target.checked; state.act = null; } }), " the guideline changed"),
      state.group ? "" : split(shown))));
  $("why").value = why;
}

// Rows that contradict one another cannot all be fine.
const isContrary = (shown) => shown.type === "group" && shown.kind === "conflict";

function isWide() {
  return matchMedia("(min-width: 48.01rem)").matches;
}

function scopes(told) {
  const left = told.left - state.without.size;
  const scope = (value, text) => make("label", {}, make("input", { type: "radio", name: "scope", value, checked: state.scope === value, onchange: () => { state.scope = value; state.act = null; } }), ` ${text}`);
  return make("fieldset", { class: "scopes" }, make("legend", {}, "Decide for"),
    scope("group", left === 1 ? "this 1 line" : `these ${many(Math.max(left, 0), "line")}`), told.is_rule ? [scope("rule", `a rule: ${many(told.touches, "part")}, and what comes later`), make("kbd", {}, "r")] : "");
}

export function split(shown) {
  const labels = Object.keys(shown.shares || {});
  if (labels.length < 2) return "";
  return make("details", { class: "shares" }, make("summary", {}, "Ambiguous, split"), labels.slice(0, 8).map((label) => make("label", {}, named(label), " ",
    make("input", { type: "number", min: 0, max: 100, step: 1, name: "share", "data-label": label, value: Math.round(shown.shares[label] * 100) }), " %")));
}

export function shares(shown) {
  const fields = [...document.querySelectorAll("input[name=share]")];
  if (!fields.length) return shown.shares || null;
  const found = Object.fromEntries(fields.map((field) => [field.dataset.label, Math.max(Number(field.value) || 0, 0) / 100]));
  return Object.values(found).some((share) => share > 0) ? found : null;
}

// What is sent; null where it is not said yet what is right.
function decision(verdict) {
  const shown = state.group || state.shown;
  const sent = { scope: state.group ? state.scope : "line", target: state.group ? shown.group : shown.line, verdict, why: $("why").value, seen: shown.seen };
  if (state.cause !== null) sent.cause = state.cause ? "guideline" : "error";
  if (state.group && state.without.size) sent.without = [...state.without];
  if (verdict === "ambiguous" && !state.group && shares(shown)) sent.shares = shares(shown);
  if (!state.group && shown.conflict) sent.settles = true;
  if (verdict !== "wrong") return sent;
  if (state.words !== null && (!state.group || isContrary(shown))) return { ...sent, words: state.words };
  if (!state.group && shown.asks === "extract" && state.mark) return { ...sent, mark: state.mark };
  if (rival(shown, state.right)) return { ...sent, like: rival(shown, state.right).like };
  if (state.right !== null) return { ...sent, label: state.right, ...(state.mark && !state.group ? { mark: state.mark } : {}) };
  if (flipped(shown)) return { ...sent, label: flipped(shown) };
  return !shown.blind && shown.likely && shown.likely !== shown.given ? sent : null;
}

// A label that is put on or not has only one other answer.
function flipped(shown) {
  const labels = (shown.choices || []).map((one) => one.label);
  if (labels.length !== 2 || !labels.includes("yes") || !labels.includes("no")) return "";
  return shown.given === "yes" ? "no" : "yes";
}

export async function decide(verdict) {
  if (state.busy || state.loading || !(state.group || state.shown)) return;
  const sent = decision(verdict);
  if (!sent) {
    say("Say first what is right: choose a label, mark it or write it.");
    const field = document.querySelector("input[name=right]") || $("words");
    if (field) field.focus();
    return;
  }
  if (verdict === "wrong" && isDoubted()) return;
  state.busy = true;
  // Sent again after a failure it is the same act, which the server writes once.
  state.act = state.act || {};
  state.act[verdict] = state.act[verdict] || crypto.randomUUID();
  const told = await tried(() => ask("/api/decide", { ...sent, act: state.act[verdict], seconds: takenSeconds() }));
  if (!told) {
    state.busy = false;
    if (state.refused === "changed") await openAgain().catch(() => undefined);
    return;
  }
  state.lastAct = told.last_act;
  $("why").value = "";
  say(after(verdict, sent, told));
  await tried(() => goOn());
  state.busy = false;
  drawn();
}

// Of a group in which most lines are expected to be right, the first press says so, and only the second one decides.
function isDoubted() {
  const told = state.group;
  if (!told || isContrary(told)) return false;
  const out = told.members.filter((one) => state.without.has(one.line));
  const left = told.left - state.without.size, expected = told.expected * (told.left / Math.max(told.lines, 1)) - out.reduce((sum, one) => sum + (one.score || 0), 0);
  const right = Math.round(left - Math.max(expected, 0));
  const what = `${told.group} ${state.scope} ${state.right} ${left}`;
  if (left <= 0 || expected >= left / 2 || state.doubted === what) return false;
  state.doubted = what;
  say(`About ${number(right)} of these ${many(left, "line")} would be made wrong: press w again, or look at each (g).`);
  return true;
}

export function after(verdict, sent, told) {
  const what = `${VERDICTS[verdict]}${sent.scope === "line" ? "" : sent.scope === "rule" ? ", as a rule" : `, ${many(told.lines, "line")}`}. Saved.`;
  if (!told.others || !told.others.length) return what;
  return `${what} ${told.conflict ? "You differ:" : "You agree:"} ${told.others.map((one) => `${one.who} said ${one.verdict}${one.verdict === "wrong" ? ` → ${named(one.answer)}` : ""}`).join("; ")}`;
}

export async function goOn() {
  await takeIn();
  const { at } = state;
  const next = await ask(`/api/next?view=${state.view}&after=${at}`);
  if (isOutdated()) {
    await goOn();
    return;
  }
  if (state.list.count) await state.list.renew(Math.max(at, 0));
  head();
  if (next.at < 0) {
    say("Nothing is left in this list.");
    if (at < 0) nothing();
    else await (state.group ? openGroup(state.group.group) : openLine(state.shown.line));
    return;
  }
  await open(next.at, { quiet: true });
}

export async function undo(act) {
  if (state.busy || state.loading) return;
  const target = act || state.lastAct;
  if (!target) {
    say("There is nothing of yours to undo.");
    return;
  }
  state.busy = true;
  const told = await tried(() => ask("/api/undo", { act: target, view: state.view }));
  if (!told) {
    state.busy = false;
    return;
  }
  state.lastAct = told.last_act;
  say(told.undone ? "Taken back." : "Was taken back before.");
  await tried(async () => {
    await takeIn();
    state.list.pages.clear();
    if (told.at >= 0 && !act) await open(told.at, { quiet: true });
    else if (state.group) await openGroup(state.group.group);
    else if (state.shown) await openLine(state.shown.line);
    await state.list.renew(Math.max(state.at, 0));
    head();
  });
  state.busy = false;
  drawn();
}

export async function step(by) {
  if (state.busy) return;
  await tried(async () => {
    await takeIn();
    await open(Math.min(Math.max(state.at + by, 0), state.list.count - 1));
  });
}
