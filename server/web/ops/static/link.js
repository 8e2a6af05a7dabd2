// The line to the server: one that is lost is shown at once, and made again from where it was.

const SILENCE_MS = 25000; // the server says something every ten seconds
const LONGEST_WAIT_MS = 10000;
const pill = document.getElementById("link");

function say(up, text) {
  pill.hidden = false;
  pill.className = up ? "link up" : "link down";
  if (pill.textContent !== text) pill.textContent = text;
}

/** Listen to an address for ever; `known` is the id of the state the page was made with. */
export function listen(address, known, show) {
  let source = null;
  let watchdog = 0;
  let failures = 0;
  let heard = new Date();

  function alive() {
    heard = new Date();
    failures = 0;
    say(true, "● Live");
    clearTimeout(watchdog);
    watchdog = setTimeout(again, SILENCE_MS);
  }

  function lost() {
    const since = heard.toLocaleTimeString([], { hourCycle: "h23" });
    say(false, `■ No connection: figures of ${since}, trying again`);
  }

  async function isSignedOut() {
    try {
      const answer = await fetch("/ops/sessions", { redirect: "manual", cache: "no-store" });
      return answer.type === "opaqueredirect";
    } catch {
      return false;
    }
  }

  function again() {
    source?.close();
    clearTimeout(watchdog);
    lost();
    failures += 1;
    setTimeout(open, Math.min(LONGEST_WAIT_MS, 500 * 2 ** failures));
  }

  function signedOut() {
    source.close();
    clearTimeout(watchdog);
    pill.className = "link down";
    const link = document.createElement("a");
    link.href = `/ops/sign-in?next=${encodeURIComponent(location.pathname)}`;
    link.textContent = "■ You are signed out: sign in again";
    link.style.color = "inherit";
    pill.replaceChildren(link);
  }

  function open() {
    source = new EventSource(`${address}?known=${encodeURIComponent(known)}`);
    source.addEventListener("open", alive);
    source.addEventListener("beat", alive);
    source.addEventListener("figures", (event) => {
      alive();
      known = event.lastEventId;
      show(JSON.parse(event.data));
    });
    source.addEventListener("over", signedOut);
    source.addEventListener("error", async () => {
      lost();
      if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      if (await isSignedOut()) signedOut();
      else again();
    });
  }

  addEventListener("offline", lost);
  addEventListener("online", again);
  open();
}
