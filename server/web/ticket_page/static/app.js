/** The ticket page: asks the server, keeps what it says, and shows the code of each slot, with a network or without. */

import { letSleep, lookAgain, stayAwake } from "./awake.js";
import { Chain, deriveTop, lockSeed, writeToken } from "./chain.js";
import { DOUBTFUL, ServerClock } from "./clock.js";
import { choose, CODE, slotAt } from "./screens.js";
import { forget, keep, load } from "./store.js";
import { chooseTexts } from "./texts.js";
import { View } from "./view.js";
import { ask } from "./wallet.js";

const ASK_EVERY = 300_000;
const ASK_SOONEST = 30_000;
const ASK_AGAIN = 5_000;
const AGAIN_SLOWEST = 60_000;
const MARK_EVERY = 60_000;
const LONGEST_WAIT = 3_600_000;

class TicketPage {
  #link = location.pathname.split("/")[2] ?? "";
  #clock = new ServerClock();
  #view;
  #known = null; // { standing, ticket, wallet } as last heard or kept
  #heard = "asking"; // how the last question ended: asking, heard, away, invalid
  #kept = null; // the ticket, on this phone; null as long as the browser has not said so
  #installed = true; // the page itself
  #chain = null; // { epoch, top } of the epoch on the screen
  #shown = null; // the slot on the canvas
  #marked = -Infinity;
  #failures = 0;
  #asking = null; // the question under way
  #overtaken = false; // somebody asked once more meanwhile
  #turn = Promise.resolve();
  #askTimer = 0;
  #turnTimer = 0;

  async start() {
    if (this.#link === "") this.#heard = "invalid";
    const languages = navigator.languages?.length ? navigator.languages : [navigator.language || "en"];
    this.#view = new View(chooseTexts(languages), languages, () => this.#ask());
    if (this.#heard === "invalid") return this.#update();
    this.#listen();
    // A store that never answers, as browsers have had it, holds up nobody who has a network.
    this.#recall();
    await this.#ask();
    this.#installed = await installWorker();
    return this.#update();
  }

  /** Show what this phone kept of the ticket, unless the server was faster. */
  async #recall() {
    const stored = await load(this.#link);
    if (stored === null || this.#heard === "heard" || this.#heard === "invalid") return;
    this.#known = stored;
    this.#kept = true;
    this.#clock.restore(stored.mark);
    await this.#update();
  }

  #listen() {
    for (const change of ["online", "offline"]) addEventListener(change, () => this.#ask());
    if (document.visibilityState === "hidden") this.#clock.pause();
    addEventListener("pageshow", (event) => event.persisted && this.#wake());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") this.#clock.pause();
      else this.#wake();
    });
  }

  async #wake() {
    lookAgain();
    this.#clock.resume();
    await this.#update();
    await this.#ask();
  }

  // --- the server ------------------------------------------------------------------------------------------------------

  /** Ask the server and show what it says; whoever calls while it is being asked waits for the same answer. */
  async #ask() {
    this.#overtaken = this.#asking !== null;
    this.#asking ??= this.#askOnce().finally(() => (this.#asking = null));
    await this.#asking;
    await this.#update(); // by now another question may be asked, should the time be in doubt
  }

  async #askOnce() {
    let answer = await ask(this.#link);
    // It says nothing of now when the phone slept over it, or when a network came back or somebody woke the page meanwhile.
    if (answer.kind === "late" || (answer.kind === "away" && this.#overtaken)) answer = await ask(this.#link);
    if (answer.kind === "late") answer = { kind: "away" };
    this.#heard = answer.kind === "page" ? "heard" : answer.kind;
    if (answer.kind === "page") await this.#take(answer.page);
    if (answer.kind === "invalid") this.#drop(null);
    this.#failures = answer.kind === "away" ? this.#failures + 1 : 0;
    if (answer.kind !== "invalid") this.#askIn(this.#pauseMs());
  }

  /** Return when to ask again: when the server said, or soon and then ever later if it did not answer. */
  #pauseMs() {
    if (this.#failures) return Math.min(AGAIN_SLOWEST, ASK_AGAIN * 2 ** (this.#failures - 1));
    const refreshMs = this.#known?.wallet?.refreshMs;
    return refreshMs === undefined ? ASK_EVERY : Math.max(ASK_SOONEST, refreshMs - this.#clock.now());
  }

  #askIn(pauseMs) {
    // Never later than said, and not all phones of a hall at once.
    const early = Math.random() * Math.min(AGAIN_SLOWEST, pauseMs / 5);
    clearTimeout(this.#askTimer);
    this.#askTimer = setTimeout(() => this.#askIfSeen(), Math.min(LONGEST_WAIT, pauseMs - early));
  }

  #askIfSeen() {
    if (document.visibilityState === "visible") this.#ask();
    else this.#askIn(ASK_EVERY);
  }

  async #take({ standing, ticket, wallet, serverMs }) {
    this.#clock.sync(serverMs);
    if (wallet === null) {
      this.#drop({ standing, ticket, wallet });
      return;
    }
    const seed = wallet.seed && ((await lockSeed(wallet.seed)) ?? wallet.seed);
    this.#known = { standing, ticket, wallet: { ...wallet, seed } };
    this.#chain = null;
    this.#shown = null;
    this.#keep();
  }

  /** Keep what is known and what time it is; but a seed that could be read back is not left lying about. */
  async #keep() {
    const mark = this.#clock.mark();
    if (mark === null || !this.#known?.wallet) return;
    this.#marked = mark.serverMs;
    const readable = this.#known.wallet.seed instanceof Uint8Array;
    const kept = !readable && (await keep({ link: this.#link, ...this.#known, mark }));
    if (kept === this.#kept) return;
    this.#kept = kept;
    await this.#update();
  }

  /** Forget everything of the ticket but what there is to say of it. */
  #drop(known) {
    this.#known = known;
    this.#chain = null;
    this.#kept = null;
    forget(this.#link);
  }

  // --- the screen ------------------------------------------------------------------------------------------------------

  /** Show what belongs on the screen now, one turn after the other, and come back when that changes. */
  #update() {
    clearTimeout(this.#turnTimer);
    const turn = this.#turn.then(() => this.#show());
    this.#turn = turn.catch(() => undefined); // whoever waits for `turn` hears of it
    return turn;
  }

  #updateIn(pauseMs) {
    clearTimeout(this.#turnTimer);
    this.#turnTimer = setTimeout(() => this.#update(), Math.min(LONGEST_WAIT, Math.max(0, pauseMs)));
  }

  async #show() {
    const nowMs = this.#clock.now();
    // Where the server does not answer it is asked again in any case.
    if (this.#clock.trust === DOUBTFUL && this.#heard === "heard" && this.#asking === null) this.#ask();
    const screen = choose(this.#known, this.#heard, nowMs);
    this.#view.showTicket(screen.name === "invalid" ? null : (this.#known?.ticket ?? null));
    if (screen.name === CODE) await this.#showCode(screen.epoch, nowMs);
    else this.#showMessage(screen, nowMs);
    this.#view.showNote(screen.name === CODE ? this.#note() : null);
    if (nowMs !== null && nowMs - this.#marked > MARK_EVERY && screen.name !== "invalid") this.#keep();
  }

  async #showCode(epoch, nowMs) {
    const { slotMs, seed } = this.#known.wallet;
    const { slot, count, endsMs } = slotAt(epoch, slotMs, nowMs);
    this.#updateIn(endsMs - nowMs);
    const name = `${epoch.fromMs}/${slot}`;
    if (this.#shown === name) return;
    if (this.#chain?.epoch !== epoch) {
      const top = await deriveTop(seed, epoch.capsule);
      this.#chain = { epoch, links: new Chain(epoch.context, top, count) };
    }
    performance.mark("slot-begins");
    const value = this.#chain.links.value(slot);
    performance.measure("chain", "slot-begins");
    this.#view.showCode(writeToken(epoch.capsule, slot, value), slot, slotMs);
    performance.measure("slot", "slot-begins");
    this.#view.countDown(endsMs - nowMs, slotMs);
    this.#shown = name;
    stayAwake();
  }

  #showMessage(screen, nowMs) {
    this.#shown = null;
    letSleep();
    this.#view.showMessage(screen, this.#known?.ticket?.status, this.#heard === "away");
    if (screen.name === "early") this.#updateIn(screen.fromMs - nowMs);
    // The code is due, or the last one ran out, and the server has the rest.
    if (screen.name === "loading" && this.#heard === "heard") this.#askIn(ASK_AGAIN);
  }

  #note() {
    if (this.#clock.trust === DOUBTFUL) return "doubtful";
    if (!globalThis.isSecureContext) return "insecure";
    if (this.#kept === false || !this.#installed) return "unkept";
    if (this.#heard === "away") return "stored";
    return this.#heard === "heard" && this.#kept ? "synced" : null;
  }
}

/** Have the page kept for visits without a network; return whether the browser does that. */
async function installWorker() {
  try {
    await navigator.serviceWorker.register("/t/sw.js", { scope: "/t/" });
    return true;
  } catch {
    return false;
  }
}

new TicketPage().start();
