/**
 * SHA-256 in plain JavaScript (FIPS 180-4), and HKDF on top of it (RFC 5869).
 *
 * A day's chain is thousands of short hashes in a row: through WebCrypto each would wait for the next turn of the event
 * loop. The browser's own HKDF is used where there is one; this one serves pages that were not opened over https.
 */

const START = Int32Array.of(
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
);
const ROUND = Int32Array.of(
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
);
const schedule = new Int32Array(64);

function turnRight(word, bits) {
  return (word >>> bits) | (word << (32 - bits));
}

/** Mix one block of 64 bytes into the state, eight words. */
function mix(state, bytes, offset) {
  const w = schedule;
  for (let t = 0, at = offset; t < 16; t += 1, at += 4) {
    w[t] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
  }
  for (let t = 16; t < 64; t += 1) {
    const [early, late] = [w[t - 15], w[t - 2]];
    const low = turnRight(early, 7) ^ turnRight(early, 18) ^ (early >>> 3);
    const high = turnRight(late, 17) ^ turnRight(late, 19) ^ (late >>> 10);
    w[t] = (w[t - 16] + low + w[t - 7] + high) | 0;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let t = 0; t < 64; t += 1) {
    const choice = (e & f) ^ (~e & g);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const first = (h + (turnRight(e, 6) ^ turnRight(e, 11) ^ turnRight(e, 25)) + choice + ROUND[t] + w[t]) | 0;
    const second = ((turnRight(a, 2) ^ turnRight(a, 13) ^ turnRight(a, 22)) + majority) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  const mixed = [a, b, c, d, e, f, g, h];
  for (let word = 0; word < 8; word += 1) state[word] += mixed[word];
}

/** Return a message with its padding, ready to be mixed block by block. */
export function pad(message) {
  const padded = new Uint8Array(Math.ceil((message.length + 9) / 64) * 64);
  padded.set(message);
  padded[message.length] = 0x80;
  new DataView(padded.buffer).setUint32(padded.length - 4, message.length * 8);
  return padded;
}

/** Write the hash of a padded message into `out`, which may be shorter than 32 bytes and then takes the first ones. */
export function digestPadded(padded, out) {
  const state = START.slice();
  for (let offset = 0; offset < padded.length; offset += 64) mix(state, padded, offset);
  for (let at = 0; at < out.length; at += 1) out[at] = state[at >> 2] >> (24 - (at & 3) * 8);
  return out;
}

/** Return the 32 bytes of a message's hash. */
export function sha256(message) {
  return digestPadded(pad(message), new Uint8Array(32));
}

function hmac(key, message) {
  const inner = new Uint8Array(64 + message.length).fill(0x36, 0, 64);
  const outer = new Uint8Array(96).fill(0x5c, 0, 64);
  for (let at = 0; at < key.length; at += 1) {
    inner[at] ^= key[at];
    outer[at] ^= key[at];
  }
  inner.set(message, 64);
  outer.set(sha256(inner), 64);
  return sha256(outer);
}

/** Return up to 32 bytes derived from a secret, with an empty salt. */
export function hkdf(secret, info, length) {
  const first = new Uint8Array(info.length + 1);
  first.set(info);
  first[info.length] = 1;
  return hmac(hmac(new Uint8Array(32), secret), first).slice(0, length);
}
