// The ground: what is before the reviewer, asking the server, telling what happened, seconds, words.

export const $ = (name) => document.getElementById(name);
export const VERDICTS = { wrong: "Wrong", fine: "Fine", ambiguous: "Ambiguous", drop: "Drop" };
export const KINDS = {
  suspect: "suspect", conflict: "read alike, answered otherwise", tied: "tied", low_confidence: "annotators unsure", relabel: "new guideline",
};
export const WINDOW = 50;

// What is before the reviewer: the list it is from, what is shown, and what has been chosen so far.
export const state = {
  about: null, list: null, view: "value", at: -1, shown: null, group: null, right: null, mark: null, words: null, scope: "line",
  without: new Set(), act: null, cause: null, busy: false, turn: 0, loading: false, whole: false, seconds: 0, since: 0, lastAct: "", keys: true,
  version: "", newest: "", refused: "", doubted: "",
};

// -- the server

class Refused extends Error {}

// The list is of another build than the answers by now: positions in it are not those of the server.
export const isOutdated = () => Boolean(state.version) && state.version !== state.newest;

function noted(version) {
  if (!version || version === state.newest) return;
  state.newest = version;
  if (isOutdated()) announce();
}

// Says quietly what is other, and leaves what is shown and written alone: it is taken in with the next line.
async function announce() {
  const told = await ask(`/api/news?since=${state.version}`).catch(() => null);
  if (!told || !told.rebuilt || !isOutdated()) return;
  const counts = told.new === null ? "" : `: ${many(told.new, "new line")}, ${number(told.gone)} gone`;
  notice(`The data set was rebuilt${counts}. The new order comes with the next line.`);
}

export function notice(text) {
  if ($("news").textContent !== text) $("news").textContent = text;
}

export async function ask(path, body) {
  const sent = body === undefined ? {} : {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  };
  const answer = await fetch(path, sent);
  if (answer.status === 401) throw new Refused("The server was started anew: open the link that it printed.");
  const told = await answer.json().catch(() => ({ error: `the server answered ${answer.status}` }));
  noted(answer.headers.get("x-assay-queue"));
  if (!answer.ok) {
    const what = told.outdated ? `${told.place} ${told.error}` : told.error;
    throw Object.assign(new Refused([what, told.way].filter(Boolean).join("; ")), { outdated: told.outdated });
  }
  return told;
}

// Tells what happened: aloud to those who listen, and for a while to those who look, where it is not plain to see.
export function say(text, isSeen = true) {
  $("live").textContent = text;
  $("live").classList.toggle("on", isSeen && Boolean(text));
  clearTimeout(say.timer);
  say.timer = setTimeout(() => $("live").classList.remove("on"), 5000);
}

function warn(text) {
  $("alert").textContent = text;
  $("alert").classList.toggle("on", Boolean(text));
}

export async function tried(work) {
  try {
    warn("");
    state.refused = "";
    return await work();
  } catch (error) {
    state.refused = error.outdated || "";
    warn(error instanceof Refused ? `Not done: ${error.message}` : "The server does not answer. Nothing was lost; try again.");
    return null;
  }
}

// -- seconds: only while the page can be seen

export function beginSeconds() {
  state.seconds = 0;
  state.since = document.hidden ? 0 : performance.now();
}

export function takenSeconds() {
  const running = state.since ? (performance.now() - state.since) / 1000 : 0;
  return Math.min(state.seconds + running, state.about.most_seconds);
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden && state.since) {
    state.seconds += (performance.now() - state.since) / 1000;
    state.since = 0;
  } else if (!document.hidden && !state.since) {
    state.since = performance.now();
  }
});

// -- words

export const percent = (share) => `${Math.round(share * 100)} %`;
export const number = (value) => value.toLocaleString("en");
export const named = (label) => (label === "O" ? "no span" : label);
export const shorter = (text, most) => ([...text].length > most ? `${[...text].slice(0, most).join("")}…` : text);
export const quoted = (texts) => texts.map((text) => `“${text}”`).join(", ");
export const ending = (text, most) => ([...text].length > most ? `…${[...text].slice(-most).join("")}` : text);
export const many = (count, what) => `${number(count)} ${what}${count === 1 ? "" : "s"}`;
