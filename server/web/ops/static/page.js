// What every page does once scripts run: times in the reader's own zone, and a clock that goes.

const clock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat([], { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" });

/** Return a moment as the reader's own time of day, or day and time. */
export function writeTime(moment, kind = "clock") {
  return (kind === "day" ? day : clock).format(moment);
}

/** Return an element that shows a moment. */
export function makeTime(stamp) {
  const element = document.createElement("time");
  element.dateTime = stamp;
  element.textContent = writeTime(new Date(stamp));
  return element;
}

/** Show every moment below an element in the reader's own time. */
export function localise(root) {
  for (const element of root.querySelectorAll("time[data-time]")) {
    element.textContent = writeTime(new Date(element.dateTime), element.dataset.time);
  }
}

const now = document.querySelector("[data-now]");
if (now) {
  const show = () => { now.textContent = writeTime(new Date()); };
  show();
  setInterval(show, 1000);
}
localise(document.body);
