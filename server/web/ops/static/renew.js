// Lists that are not told live are loaded again every few seconds, as long as nobody is at work in them.

import { localise } from "./page.js";

const EVERY_MS = 5000;
const place = document.querySelector("[data-renew]");

async function renew() {
  if (document.hidden || place.contains(document.activeElement) || String(getSelection())) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "manual" });
  if (answer.type === "opaqueredirect") {
    location.reload(); // the session is over: the server leads to the sign-in
    return;
  }
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-renew]");
  if (!fresh) return;
  const sheet = place.querySelector(".sheet");
  const [x, y] = sheet ? [sheet.scrollLeft, sheet.scrollTop] : [0, 0];
  place.replaceChildren(...fresh.childNodes);
  place.querySelector(".sheet")?.scrollTo(x, y);
  localise(place);
}

async function renewForEver() {
  try {
    await renew();
  } catch {
    // the network is away: the next round tries again
  }
  setTimeout(renewForEver, EVERY_MS);
}

if (place) setTimeout(renewForEver, EVERY_MS);
