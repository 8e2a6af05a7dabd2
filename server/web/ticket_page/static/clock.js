/**
 * What time it is at the server: its own word, carried on by the browser's monotonic counter.
 *
 * The phone's wall clock serves one end, to tell how long a closed page or a sleeping phone was away, for the counter
 * stands still then. As long as the page has spoken with the server, `now` is never ahead of it: an answer's time counts
 * from the answer's arrival.
 */

export const SYNCED = "synced"; // the server said so, and the counter has run since
export const STORED = "stored"; // carried over a pause by the wall clock, which has given no reason for doubt
export const DOUBTFUL = "doubtful"; // the wall clock was set meanwhile

export const TOLERATED = 3000; // how far two of this phone's clocks may part, or an answer be late, and mean nothing

/** The browser's own clocks in milliseconds: the wall's, and the counter since the page began. */
export const SOURCES = { wall: () => Date.now(), monotonic: () => performance.now() };

export class ServerClock {
  #sources;
  #base = null;
  #paused = false;

  /** `sources` has wall() and monotonic(), both in milliseconds. */
  constructor(sources = SOURCES) {
    this.#sources = sources;
  }

  /** How far the time can be trusted; null while none is known. */
  get trust() {
    return this.#base?.trust ?? null;
  }

  /** Take the server's time, in milliseconds since 1970, from an answer that has just arrived. */
  sync(serverMs) {
    this.#anchor(serverMs, SYNCED);
  }

  /** Go on from the mark of an earlier visit. */
  restore(mark) {
    const passed = this.#sources.wall() - mark.wallMs;
    // A clock that went back says one thing only: it is later than it was.
    this.#anchor(mark.serverMs + Math.max(0, passed), passed < -TOLERATED ? DOUBTFUL : STORED);
  }

  /** Tell that the page is out of sight: from here until `resume` the counter may stand still, more than once. */
  pause() {
    this.#paused = true;
  }

  /** Tell that the page is looked at again. */
  resume() {
    this.now(); // what was slept through is still made up for
    this.#paused = false;
  }

  /** Return the time in milliseconds since 1970; null while none is known. */
  now() {
    if (this.#base === null) return null;
    const { serverMs, wall, monotonic, trust } = this.#base;
    const counted = this.#sources.monotonic() - monotonic;
    const passed = this.#sources.wall() - wall;
    const slept = this.#paused && passed > counted;
    if (Math.abs(passed - counted) <= TOLERATED) return serverMs + counted;
    this.#anchor(serverMs + (slept ? passed : counted), slept && trust !== DOUBTFUL ? STORED : DOUBTFUL);
    return this.#base.serverMs;
  }

  /** Return what a later visit needs to go on without the server; null while the time is in doubt. */
  mark() {
    const serverMs = this.now();
    return serverMs === null || this.trust === DOUBTFUL ? null : { serverMs, wallMs: this.#sources.wall() };
  }

  #anchor(serverMs, trust) {
    this.#base = { serverMs, wall: this.#sources.wall(), monotonic: this.#sources.monotonic(), trust };
  }
}
