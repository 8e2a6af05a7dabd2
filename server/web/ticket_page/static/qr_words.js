/** From a text to a QR symbol's codewords: segment, padding, Reed-Solomon checks, interleaving (ISO/IEC 18004:2015, 7.4-7.6). */

const ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const LARGEST = 12;

// Table 9: error correction codewords of a block, and number of blocks, by version from 1.
const CHECK_WORDS = {
  L: [7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24],
  M: [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22],
  Q: [13, 22, 18, 26, 18, 24, 18, 22, 20, 24, 28, 26],
  H: [17, 28, 22, 16, 22, 28, 26, 26, 24, 28, 24, 28],
};
const BLOCKS = {
  L: [1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4],
  M: [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8],
  Q: [1, 1, 2, 2, 4, 4, 6, 6, 8, 8, 8, 10],
  H: [1, 1, 2, 4, 4, 4, 5, 6, 8, 8, 11, 11],
};
const CODEWORDS = [26, 44, 70, 100, 134, 172, 196, 242, 292, 346, 404, 466];

/** Return the smallest version a text fits into, and its codewords in the order of placement; RangeError if none does. */
export function toWords(text, level) {
  const segment = toSegment(text);
  const version = chooseVersion(segment, level);
  return { version, words: addChecks(toCodewords(segment, version, level), version, level) };
}

function toSegment(text) {
  const values = Array.from(text, (letter) => ALPHANUMERIC.indexOf(letter));
  if (!values.includes(-1)) return { mode: 2, count: values.length, pieces: pairUp(values) };
  const bytes = new TextEncoder().encode(text);
  return { mode: 4, count: bytes.length, pieces: Array.from(bytes, (byte) => [byte, 8]) };
}

function pairUp(values) {
  const pieces = [];
  for (let at = 0; at + 1 < values.length; at += 2) pieces.push([values[at] * 45 + values[at + 1], 11]);
  if (values.length % 2) pieces.push([values[values.length - 1], 6]);
  return pieces;
}

function countBits(mode, version) {
  if (mode === 2) return version < 10 ? 9 : 11;
  return version < 10 ? 8 : 16;
}

function dataWords(version, level) {
  return CODEWORDS[version - 1] - CHECK_WORDS[level][version - 1] * BLOCKS[level][version - 1];
}

function chooseVersion(segment, level) {
  const content = segment.pieces.reduce((sum, [, width]) => sum + width, 0);
  for (let version = 1; version <= LARGEST; version += 1) {
    if (4 + countBits(segment.mode, version) + content <= dataWords(version, level) * 8) return version;
  }
  throw new RangeError("This text is too long for a QR code of version 12.");
}

function toCodewords(segment, version, level) {
  const words = new Uint8Array(dataWords(version, level));
  let at = 0;
  const put = (value, width) => {
    for (let bit = width - 1; bit >= 0; bit -= 1, at += 1) words[at >> 3] |= ((value >> bit) & 1) << (7 - (at & 7));
  };
  put(segment.mode, 4);
  put(segment.count, countBits(segment.mode, version));
  for (const [value, width] of segment.pieces) put(value, width);
  // The terminator is four zero bits where there is room, and the array is zero already.
  const used = Math.ceil(Math.min(at + 4, words.length * 8) / 8);
  for (let word = used; word < words.length; word += 1) words[word] = (word - used) % 2 ? 0x11 : 0xec;
  return words;
}

// --- Reed-Solomon over GF(256) with the polynomial x^8 + x^4 + x^3 + x^2 + 1 -------------------------------------------

const POWERS = new Uint8Array(512);
const LOGARITHMS = new Uint8Array(256);
for (let power = 0, value = 1; power < 255; power += 1) {
  POWERS[power] = value;
  POWERS[power + 255] = value;
  LOGARITHMS[value] = power;
  value = value & 0x80 ? (value << 1) ^ 0x11d : value << 1;
}

function multiply(left, right) {
  return left && right ? POWERS[LOGARITHMS[left] + LOGARITHMS[right]] : 0;
}

function generator(degree) {
  let product = [1];
  for (let root = 0; root < degree; root += 1) {
    const next = [...product, 0];
    for (let at = 0; at < product.length; at += 1) next[at + 1] ^= multiply(product[at], POWERS[root]);
    product = next;
  }
  return product;
}

function remainder(block, divisor) {
  const degree = divisor.length - 1;
  const rest = new Uint8Array(block.length + degree);
  rest.set(block);
  for (let at = 0; at < block.length; at += 1) {
    for (let step = 1; step <= degree; step += 1) rest[at + step] ^= multiply(divisor[step], rest[at]);
  }
  return rest.subarray(block.length);
}

function addChecks(data, version, level) {
  const blocks = BLOCKS[level][version - 1];
  const checks = CHECK_WORDS[level][version - 1];
  const short = Math.floor(data.length / blocks);
  const firstLong = blocks - (data.length % blocks);
  const divisor = generator(checks);
  const parts = [];
  for (let block = 0, at = 0; block < blocks; block += 1) {
    const length = short + (block >= firstLong ? 1 : 0);
    const words = data.subarray(at, at + length);
    parts.push({ words, checks: remainder(words, divisor) });
    at += length;
  }
  const out = [];
  for (let at = 0; at <= short; at += 1) for (const part of parts) if (at < part.words.length) out.push(part.words[at]);
  for (let at = 0; at < checks; at += 1) for (const part of parts) out.push(part.checks[at]);
  return out;
}
