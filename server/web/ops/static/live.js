// The overview as it changes: the server sends the parts that differ, and each part knows where it is shown.

import { Chart } from "./chart.js";
import { listen } from "./link.js";
import { writers } from "./lists.js";
import { writeTime } from "./page.js";

const board = document.getElementById("board");
const number = new Intl.NumberFormat("fr-FR", { maximumFractionDigits: 1 }); // thin gaps, as the server writes them
// The library is another script of the page, done before the modules are.
const chart = new Chart(document.getElementById("chart"));

function find(parts, path) {
  return path.split(".").reduce((value, name) => value?.[name], parts);
}

function show(parts) {
  for (const element of board.querySelectorAll("[data-n]")) {
    const value = find(parts, element.dataset.n);
    if (value !== undefined) element.textContent = number.format(value).replace(",", ".");
  }
  for (const bar of board.querySelectorAll("[data-part]")) {
    const [part, whole] = [find(parts, bar.dataset.part), find(parts, bar.dataset.whole)];
    if (part === undefined) continue;
    bar.max = Math.max(1, whole);
    bar.value = part;
  }
  for (const list of board.querySelectorAll("[data-list]")) {
    const items = find(parts, list.dataset.list);
    if (items) renew(list, writers[list.dataset.list](items));
  }
  if (parts.arrivals) {
    chart.show(parts.arrivals);
    board.querySelector("[data-forecast]").textContent = tell(parts.arrivals.forecast);
  }
  board.dataset.updated = String(Number(board.dataset.updated ?? 0) + 1);
}

// Whoever presses on a list while it changes must hit what they pressed on: it changes when they let go.
const waiting = new Map();
let pressed = false;

function renew(list, items) {
  if (pressed) {
    waiting.set(list, items);
    return;
  }
  const held = list.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  list.replaceChildren(...items);
  if (held !== null) list.querySelector(`a[href="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
}

function letGo() {
  pressed = false;
  for (const [list, items] of waiting) renew(list, items);
  waiting.clear();
}

board.addEventListener("pointerdown", () => {
  pressed = true;
});
for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => setTimeout(letGo)); // after the click itself

function tell(forecast) {
  if (!forecast) return "Too early for a forecast.";
  const [peak, end] = [forecast.peakAt, forecast.endsAt].map((one) => writeTime(new Date(one)).slice(0, 5));
  const rate = number.format(forecast.peakPerMinute).replace(",", ".");
  if (forecast.isOver) return `The rush is over since ${end}; the thickest was ${rate} a minute at ${peak}.`;
  const word = new Date(forecast.peakAt) < new Date() ? "Thickest so far" : "Peak";
  return `${word} ${rate} a minute at ${peak}; 95 % of ${number.format(forecast.total)} in by ${end}.`;
}

chart.show(JSON.parse(document.getElementById("arrivals").textContent));
listen(`/ops/events/${board.dataset.event}/live`, board.dataset.state, show);
