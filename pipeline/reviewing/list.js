// A list of any length: only what is in sight is in the document, and only what was in sight has been fetched.

import { make } from "/text.js";

const PAGE = 50, SPARE = 6, MOST_PIXELS = 12_000_000;

export class List {
  // `fetched(start, count)` gives {count, entries}; `drawn(entry)` the content of one; `opened(at)` is told of a choice.
  constructor(element, { fetched, drawn, opened, high }) {
    Object.assign(this, { element, fetched, drawn, opened, high });
    this.inner = make("div", { class: "inner", role: "presentation" });
    element.append(this.inner);
    this.clear();
    element.addEventListener("scroll", () => this.draw(), { passive: true });
    element.addEventListener("keydown", (event) => this.keyed(event));
    new ResizeObserver(() => this.draw()).observe(element);
  }

  clear() {
    this.pages = new Map();
    this.count = 0;
    this.at = -1;
    this.turn = (this.turn || 0) + 1;
  }

  // Shows what is in the list now, the entry `at` in sight.
  async load(at) {
    this.clear();
    await this.page(Math.floor(Math.max(at, 0) / PAGE));
    this.choose(at);
  }

  async page(number) {
    if (this.pages.has(number)) return this.pages.get(number);
    const { turn } = this;
    const asked = this.fetched(number * PAGE, PAGE).then((told) => {
      if (turn !== this.turn) return [];
      this.count = told.count;
      this.pages.set(number, told.entries);
      this.draw();
      return told.entries;
    }, (error) => {
      if (turn === this.turn) this.pages.delete(number);
      throw error;
    });
    this.pages.set(number, asked);
    return asked;
  }

  async entry(at) {
    return (await this.page(Math.floor(at / PAGE)))[at % PAGE];
  }

  // Fetches the page of an entry again, where something was decided.
  async renew(at) {
    const number = Math.floor(at / PAGE), told = await this.fetched(number * PAGE, PAGE);
    this.count = told.count;
    this.pages.set(number, told.entries);
    this.draw();
  }

  get shown() {
    return Math.min(this.count, Math.floor(MOST_PIXELS / this.high));
  }

  choose(at) {
    this.at = at;
    const top = at * this.high, { scrollTop, clientHeight } = this.element;
    this.inner.style.height = `${this.shown * this.high}px`;
    if (top < scrollTop) this.element.scrollTop = top - this.high;
    else if (top + this.high > scrollTop + clientHeight) this.element.scrollTop = top - clientHeight / 2;
    this.draw();
  }

  draw() {
    this.inner.style.height = `${this.shown * this.high}px`;
    const { scrollTop, clientHeight } = this.element;
    const first = Math.max(Math.floor(scrollTop / this.high) - SPARE, 0);
    const last = Math.min(Math.ceil((scrollTop + clientHeight) / this.high) + SPARE, this.shown);
    const options = [];
    for (let at = first; at < last; at += 1) options.push(this.option(at));
    this.inner.replaceChildren(...options);
    const chosen = this.at >= first && this.at < last ? `entry-${this.at}` : null;
    if (chosen) this.element.setAttribute("aria-activedescendant", chosen);
    else this.element.removeAttribute("aria-activedescendant");
  }

  option(at) {
    const page = this.pages.get(Math.floor(at / PAGE));
    const entry = Array.isArray(page) ? page[at % PAGE] : null;
    if (!page) this.page(Math.floor(at / PAGE)).catch(() => undefined);
    const option = make("div", {
      id: `entry-${at}`, role: "option", class: `entry${entry && entry.done ? " done" : ""}`,
      "aria-selected": String(at === this.at), "aria-setsize": this.count, "aria-posinset": at + 1,
      onclick: () => this.opened(at),
    }, entry ? this.drawn(entry) : "…");
    option.style.transform = `translateY(${at * this.high}px)`;
    option.style.height = `${this.high}px`;
    return option;
  }

  keyed(event) {
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -this.count, End: this.count };
    if (!(event.key in steps) || !this.count) return;
    event.preventDefault();
    this.opened(Math.min(Math.max(this.at + steps[event.key], 0), this.shown - 1));
  }
}
