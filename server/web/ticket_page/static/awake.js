/** Keeping the screen lit while a code is on it, for some minutes, where the browser can. */

const LONGEST = 300_000;

let lock = null;
let until = 0;

/** Keep the screen lit from now on; asking again while it is lit does nothing. */
export async function stayAwake() {
  if (lock !== null || document.visibilityState !== "visible" || (until && performance.now() >= until)) return;
  until ||= performance.now() + LONGEST;
  try {
    lock = (await navigator.wakeLock?.request("screen")) ?? null;
  } catch {
    return; // a low battery, or a setting: the phone decides
  }
  lock?.addEventListener("release", () => (lock = null));
  setTimeout(letSleep, LONGEST);
}

/** Let the phone decide again; the next look at the page starts anew. */
export function letSleep() {
  lock?.release();
}

/** Tell that somebody looks at the page again. */
export function lookAgain() {
  until = 0;
}
