// Text from data: shown as text and nothing else, with what cannot be seen spelled out; offsets in code points.
//
// The server counts code points, the browser UTF-16 units. All that goes from one to the other goes through
// `points`, `cuts` and `pointAt`, and nothing else does.

// The same characters as pipeline/text.py spells out (a test holds the two together).
const HIDDEN = [
  [0x0000, 0x0008], [0x000b, 0x001f], [0x007f, 0x009f], [0x061c, 0x061c], [0x200b, 0x200b], [0x200e, 0x200f],
  [0x202a, 0x202e], [0x2060, 0x2069], [0xd800, 0xdfff], [0xfeff, 0xfeff], [0xfffe, 0xffff],
];

export function isHidden(point) {
  return HIDDEN.some(([first, last]) => first <= point && point <= last);
}

// How many code points a string has.
export function points(string) {
  let count = 0;
  for (const _ of string) count += 1;
  return count;
}

// The UTF-16 units at which code point offsets (ascending) stand in a string.
export function cuts(string, offsets) {
  const found = [];
  let units = 0, at = 0;
  for (const offset of offsets) {
    while (at < offset && units < string.length) {
      units += string.codePointAt(units) > 0xffff ? 2 : 1;
      at += 1;
    }
    found.push(units);
  }
  return found;
}

// An element with attributes and children; strings become text, never markup.
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  for (const child of children.flat(9)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    if (child instanceof Node) element.append(child);
    else write(element, String(child));
  }
  return element;
}

// Adds text from data to an element, what cannot be seen spelled out; each such mark counts as one character.
export function write(element, string) {
  let plain = "";
  for (const character of string) {
    const point = character.codePointAt(0);
    if (!isHidden(point)) {
      plain += character;
      continue;
    }
    if (plain) element.append(plain);
    plain = "";
    const mark = document.createElement("span");
    mark.className = "hidden-character";
    mark.dataset.points = "1";
    mark.textContent = `[U+${point.toString(16).toUpperCase().padStart(4, "0")}]`;
    element.append(mark);
  }
  if (plain) element.append(plain);
  return element;
}

// A passage with its spans marked and the judged stretch brought out. Spans and `judged` count from the beginning of
// the whole text, of which the passage shows what follows `base`.
export function marked(passage, judged) {
  const size = points(passage.text), { base } = passage;
  const inside = ([start, end]) => [Math.max(start - base, 0), Math.min(end - base, size)];
  const spans = passage.spans.map(([start, end, label]) => [...inside([start, end]), label]).filter(([s, e]) => s < e);
  const asked = judged ? inside(judged) : null;
  const ends = [0, size, ...spans.flatMap(([s, e]) => [s, e]), ...(asked && asked[0] < asked[1] ? asked : [])];
  const offsets = [...new Set(ends)].sort((one, other) => one - other);
  const units = cuts(passage.text, offsets);
  const holder = make("div", { class: "text", dir: "auto", lang: passage.language || null });
  for (let at = 0; at + 1 < offsets.length; at += 1) {
    const [from, to] = [offsets[at], offsets[at + 1]];
    const over = spans.filter(([s, e]) => s <= from && to <= e);
    const isAsked = asked !== null && asked[0] <= from && to <= asked[1];
    piece(holder, passage.text.slice(units[at], units[at + 1]), { over, isAsked, to, asked });
  }
  return holder;
}

function piece(holder, string, { over, isAsked, to, asked }) {
  if (!over.length && !isAsked) {
    write(holder, string);
    return;
  }
  const mark = make("mark", { class: `${over.length ? "span" : "bare"}${isAsked ? " asked" : ""}` });
  write(mark, string);
  holder.append(mark);
  for (const [, end, label] of over) if (end === to) mark.append(chip(label));
  if (isAsked && !over.length && asked[1] === to) mark.append(chip("no span"));
}

// The name of a span: it is no text of the row, so it counts for nothing.
function chip(label) {
  const element = make("span", { class: "chip" }, label);
  element.dataset.points = "0";
  element.prepend("\u2060"); // it stays on the line of the last character
  return element;
}

function counted(node) {
  if (node.nodeType === Node.TEXT_NODE) return points(node.data);
  if (node.dataset && node.dataset.points !== undefined) return Number(node.dataset.points);
  let count = 0;
  for (const child of node.childNodes) count += counted(child);
  return count;
}

// The code point offset in a text holder of a place in the document.
export function pointAt(holder, node, offset) {
  const range = document.createRange();
  range.setStart(holder, 0);
  range.setEnd(node, offset);
  return counted(range.cloneContents());
}

// What is selected in a text holder, in code points, blanks at the ends left out; null where it is nothing of it.
export function selected(holder) {
  const selection = document.getSelection();
  if (!selection || selection.isCollapsed || !selection.rangeCount) return null;
  const range = selection.getRangeAt(0);
  if (!holder.contains(range.startContainer) || !holder.contains(range.endContainer)) return null;
  let start = pointAt(holder, range.startContainer, range.startOffset);
  let end = pointAt(holder, range.endContainer, range.endOffset);
  const all = [...plain(holder)];
  while (start < end && !all[start].trim()) start += 1;
  while (start < end && !all[end - 1].trim()) end -= 1;
  return start < end ? [start, end] : null;
}

// The text of a holder as it is in the data, a placeholder for each character that was spelled out.
export function plain(node) {
  if (node.nodeType === Node.TEXT_NODE) return node.data;
  if (node.dataset && node.dataset.points !== undefined) return "\ufffd".repeat(Number(node.dataset.points));
  return [...node.childNodes].map(plain).join("");
}
