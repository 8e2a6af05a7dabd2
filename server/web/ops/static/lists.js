// Lists as they are told, written with text alone: nothing that comes from the server is ever markup here.

import { makeTime } from "./page.js";

const words = JSON.parse(document.getElementById("words").textContent);
const number = new Intl.NumberFormat("fr-FR", { maximumFractionDigits: 1 });

const count = (value) => (value === null || value === undefined ? "–" : number.format(value).replace(",", "."));
const word = (kind, code) => words[kind][code] ?? code.replaceAll("_", " ");

function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

function name(text) {
  const element = make("bdi", "name", text);
  element.dir = "auto";
  element.title = text;
  return element;
}

function link(href, ...children) {
  const element = make("a", "", ...children);
  element.href = href;
  return element;
}

const nothing = (text) => [make("li", "quiet", text)];
const orNothing = (write, text) => (items) => (items.length ? items.map(write) : nothing(text));

function crowd(one) {
  const bar = make("progress");
  bar.max = Math.max(1, one.expected);
  bar.value = one.arrived;
  bar.setAttribute("aria-label", "Arrived");
  return make("li", "crowd", name(one.name), " ", make("span", "", make("b", "", count(one.arrived)), ` of ${count(one.expected)}`), bar);
}

function age(stamp) {
  const seconds = Math.max(0, Math.round((Date.now() - new Date(stamp)) / 1000));
  return seconds < 60 ? `${seconds}\u202fs ago` : `${Math.floor(seconds / 60)}\u202fmin ago`;
}

function tile(gate) {
  const told = gate.troubles.length ? gate.troubles.map((one) => word("troubles", one)).join(", ") : gate.seenAt ? `heard ${age(gate.seenAt)}` : "waiting for it";
  return make("li", `tile card is-${gate.condition}`, link(
    `/ops/gates/${gate.id}`,
    make("b", "title", name(gate.name)),
    make("span", "condition", word("conditions", gate.condition)),
    make("span", "rate", make("b", "", count(gate.scansPerMinute)), " / min"),
    make("span", "sums", `${count(gate.entries)} in · ${count(gate.refused)} refused`),
    make("span", "quiet", told),
  ));
}

/** How each list is written, by the path of what is in it. */
export const writers = {
  "crowds.types": orNothing(crowd, "No ticket types"),
  "crowds.zones": (items) => items.map(crowd),
  "gates.shown": orNothing(tile, "No gates yet"),
  refusals: orNothing((one) => make("li", "", make("span", "", word("reasons", one.reason)), " ", make("b", "", count(one.count))), "Nobody so far"),
  warnings: orNothing((one) => make("li", "caution", make("b", "", `▲ ${word("cautions", one.code)}`), " ", name(one.subject), " ", make("span", "", `${count(one.figure)} of ${count(one.limit)}`)), "✓ Nothing right now"),
  "conflicts.newest": orNothing((one) => make("li", "", link(`/ops/conflicts/${one.id}`, make("b", `severity-${one.severity}`, word("severities", one.severity)), ` ${word("kinds", one.kind)}`), " ", name(one.gate), " ", makeTime(one.at)), "✓ All settled"),
};
