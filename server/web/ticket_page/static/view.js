/** The page's elements, and what each screen shows in them. Whatever comes from outside is set as text, never as markup. */

import { encode } from "./qr.js";
import { paint } from "./paint.js";
import { writeDate } from "./texts.js";

const SIGNS = { loading: "…", early: "…", over: "✓" };

const HELPED = ["code", "stale"]; // where there is a code to be had, and a number to tell

function find(id) {
  return document.getElementById(id);
}

function say(id, text) {
  const place = find(id);
  if (place.textContent !== text) place.textContent = text; // or a screen reader would say it once more
}

export class View {
  #texts;
  #languages;
  #symbol = null;
  #countdown = null;

  constructor(texts, languages, onRetry) {
    this.#texts = texts;
    this.#languages = languages;
    document.documentElement.lang = texts.lang;
    say("retry", texts.retry);
    find("retry").addEventListener("click", onRetry);
    find("code").setAttribute("aria-label", texts.codeLabel);
    find("help").querySelector("summary").textContent = texts.help.title;
    const lines = texts.help.lines.map((line) => Object.assign(document.createElement("li"), { textContent: line }));
    find("help").querySelector("ul").replaceChildren(...lines);
    new ResizeObserver(() => this.#repaint()).observe(find("room"));
  }

  /** Show what the ticket is; null hides it. */
  showTicket(ticket) {
    for (const id of ["head", "facts"]) find(id).hidden = ticket === null;
    find("checked-in").hidden = ticket?.status !== "checked_in";
    document.title = ticket ? `${ticket.event} – ${this.#texts.title}` : this.#texts.title;
    if (ticket === null) return;
    say("event", ticket.event);
    say("starts", this.#texts.starts(writeDate(this.#texts, ticket.startsMs, this.#languages)));
    say("checked-in", this.#texts.checkedIn);
    for (const fact of ["type", "seat", "holder", "number"]) this.#showFact(fact, ticket[fact]);
  }

  #showFact(fact, value) {
    const place = find(`fact-${fact}`);
    place.hidden = value === "";
    place.querySelector("dt").textContent = this.#texts.facts[fact];
    place.querySelector("bdi").textContent = value;
  }

  /** Show a screen other than the code; `status` is the ticket's, `retry` whether there is something to try again. */
  showMessage(screen, status, retry) {
    const { title, body } = this.#texts.screens[screen.name];
    const reason = screen.name === "void" ? (this.#texts.states[status] ?? "") : "";
    const date = screen.fromMs === undefined ? "" : writeDate(this.#texts, screen.fromMs, this.#languages);
    this.#switch(screen.name);
    say("sign", SIGNS[screen.name] ?? "!");
    say("message-title", typeof title === "function" ? title(date) : title);
    say("message-body", `${reason} ${body}`.trim());
    find("retry").hidden = !retry;
    this.#symbol = null;
    delete find("code").dataset.slot;
    find("code").width = 1; // a code that does not count any more is not left on it
  }

  /** Show a slot's code. */
  showCode(text, slot, slotMs) {
    this.#switch("code");
    find("code").dataset.slot = slot;
    say("hint", this.#texts.hint(slotMs / 1000));
    this.#symbol = encode(text);
    this.#repaint();
  }

  /** Let the bar run from what is left of the slot to nothing. */
  countDown(leftMs, slotMs) {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const from = `scaleX(${Math.min(1, leftMs / slotMs)})`;
    const easing = still ? `steps(${Math.max(1, Math.ceil(leftMs / 1000))})` : "linear";
    this.#countdown?.cancel();
    this.#countdown = find("left").animate({ transform: [from, "scaleX(0)"] }, { duration: leftMs, easing, fill: "both" });
  }

  /** Say how the page stands: the name of a note, or null for none. */
  showNote(name) {
    find("note").dataset.note = name ?? "";
    say("note", name === null ? "" : this.#texts.notes[name]);
  }

  #switch(name) {
    document.body.dataset.screen = name;
    find("pass").hidden = name !== "code";
    find("message").hidden = name === "code";
    find("help").hidden = !HELPED.includes(name);
  }

  #repaint() {
    const room = find("room").clientWidth;
    if (this.#symbol !== null && room > 0) paint(find("code"), this.#symbol, room);
  }
}
