/**
 * From a ticket's seed to the text of a slot's code.
 *
 *     x_N     = HKDF-SHA256(seed, info = "ttchain1" | header), 16 bytes
 *     x_(i-1) = SHA-256(context | u16 i | x_i), first 16 bytes
 *     token   = capsule 128 | u16 slot | x_slot, in Base45
 *
 * The header is the capsule's first four bytes; the server sends the context beside the capsule.
 */

import { encodeBase45 } from "./base45.js";
import { digestPadded, hkdf, pad } from "./sha256.js";

const VALUE = 16;
const STRIDE = 64;
const LABEL = new TextEncoder().encode("ttchain1");

/** Return the browser's handle on a seed, which cannot be read back out of it; null where the browser offers none. */
export async function lockSeed(seed) {
  const subtle = globalThis.crypto?.subtle;
  return subtle ? subtle.importKey("raw", seed, "HKDF", false, ["deriveBits"]) : null;
}

/** Return x_N; `seed` is what lockSeed gave, or the bare bytes. */
export async function deriveTop(seed, capsule) {
  const info = new Uint8Array([...LABEL, ...capsule.subarray(0, 4)]);
  if (seed instanceof Uint8Array) return hkdf(seed, info, VALUE);
  const how = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info };
  return new Uint8Array(await crypto.subtle.deriveBits(how, seed, VALUE * 8));
}

/** One epoch's chain. The first value asked for costs a walk from the top; later ones start at the nearest mark above. */
export class Chain {
  #marks = new Map();
  #block;

  constructor(context, top, count) {
    this.count = count;
    this.#marks.set(count, top);
    const step = new Uint8Array(context.length + 2 + VALUE);
    step.set(context);
    this.#block = pad(step);
  }

  /** Return x_slot for a slot from 0 (the anchor) to the epoch's last. */
  value(slot) {
    let at = Math.min(this.count, Math.ceil(slot / STRIDE) * STRIDE);
    while (!this.#marks.has(at)) at = Math.min(this.count, at + STRIDE);
    const block = this.#block;
    const place = block.subarray(VALUE + 2, VALUE + 2 + VALUE);
    place.set(this.#marks.get(at));
    for (; at > slot; ) {
      block[VALUE] = at >> 8;
      block[VALUE + 1] = at;
      digestPadded(block, place);
      at -= 1;
      if (at % STRIDE === 0) this.#marks.set(at, place.slice());
    }
    return place.slice();
  }
}

/** Return the text a QR code shows in a slot. */
export function writeToken(capsule, slot, value) {
  return encodeBase45(new Uint8Array([...capsule, slot >> 8, slot & 0xff, ...value]));
}
