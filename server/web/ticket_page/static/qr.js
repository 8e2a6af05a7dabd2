/**
 * A QR code encoder for what tickets need: alphanumeric and byte mode, versions 1-12, all four levels (ISO/IEC 18004:2015).
 *
 * It chooses the smallest version that fits and the mask of the lowest penalty, so one text always gives the same symbol.
 */

import { toWords } from "./qr_words.js";

export const QUIET_ZONE = 4;

const LEVEL_BITS = { L: 1, M: 0, Q: 3, H: 2 };
// Annex E: centres of the alignment patterns, by version from 1.
const ALIGNMENT = [
  [], [6, 18], [6, 22], [6, 26], [6, 30], [6, 34],
  [6, 22, 38], [6, 24, 42], [6, 26, 46], [6, 28, 50], [6, 30, 54], [6, 32, 58],
];

// 7.8.2: whether a mask turns the module in a row and column over.
const MASKS = [
  (row, column) => (row + column) % 2 === 0,
  (row) => row % 2 === 0,
  (_row, column) => column % 3 === 0,
  (row, column) => (row + column) % 3 === 0,
  (row, column) => ((row >> 1) + Math.floor(column / 3)) % 2 === 0,
  (row, column) => ((row * column) % 2) + ((row * column) % 3) === 0,
  (row, column) => (((row * column) % 2) + ((row * column) % 3)) % 2 === 0,
  (row, column) => (((row + column) % 2) + ((row * column) % 3)) % 2 === 0,
];

/**
 * Return the symbol of a text: `modules[row * size + column]` is 1 where it is dark. The quiet zone is not part of it.
 * Throws a RangeError for a text too long for version 12.
 */
export function encode(text, level = "M") {
  const { version, words } = toWords(text, level);
  const plan = drawPlan(version);
  placeBits(plan, words);
  const mask = chooseMask(plan);
  turn(plan, mask);
  drawFormat(plan, level, mask);
  drawVersion(plan, version);
  return { version, mask, size: plan.size, modules: plan.modules };
}

function drawPlan(version) {
  const size = version * 4 + 17;
  const plan = { size, modules: new Uint8Array(size * size), fixed: new Uint8Array(size * size) };
  for (let at = 0; at < size; at += 1) {
    set(plan, 6, at, at % 2 === 0);
    set(plan, at, 6, at % 2 === 0);
  }
  for (const [row, column] of [[3, 3], [3, size - 4], [size - 4, 3]]) drawRings(plan, row, column, 4);
  const centres = ALIGNMENT[version - 1];
  for (const row of centres) {
    for (const column of centres) if (!inFinder(size, row, column)) drawRings(plan, row, column, 2);
  }
  reserve(plan, version);
  return plan;
}

function set(plan, row, column, dark) {
  plan.modules[row * plan.size + column] = dark ? 1 : 0;
  plan.fixed[row * plan.size + column] = 1;
}

function inFinder(size, row, column) {
  return (row < 9 && (column < 9 || column > size - 9)) || (row > size - 9 && column < 9);
}

/** Draw a finder pattern with its separator (radius 4) or an alignment pattern (radius 2) around a centre. */
function drawRings(plan, row, column, radius) {
  const light = radius === 4 ? [2, 4] : [1];
  for (let down = -radius; down <= radius; down += 1) {
    for (let right = -radius; right <= radius; right += 1) {
      const [y, x] = [row + down, column + right];
      const inside = y >= 0 && x >= 0 && y < plan.size && x < plan.size;
      if (inside) set(plan, y, x, !light.includes(Math.max(Math.abs(down), Math.abs(right))));
    }
  }
}

// Format and version areas stay light until the mask is chosen: they do not count for its penalty (7.8.1).
function reserve(plan, version) {
  const { size } = plan;
  for (let at = 0; at < 9; at += 1) {
    if (at !== 6) {
      set(plan, 8, at, false);
      set(plan, at, 8, false);
    }
    if (at < 8) {
      set(plan, 8, size - 1 - at, false);
      set(plan, size - 1 - at, 8, false);
    }
  }
  if (version >= 7) eachVersionModule(size, (row, column) => set(plan, row, column, false));
}

function eachVersionModule(size, use) {
  for (let bit = 0; bit < 18; bit += 1) {
    const [along, across] = [Math.floor(bit / 3), size - 11 + (bit % 3)];
    use(along, across, bit);
    use(across, along, bit);
  }
}

function placeBits(plan, words) {
  const { size, modules, fixed } = plan;
  let at = 0;
  for (let right = size - 1; right > 0; right -= 2) {
    if (right === 6) right = 5; // the timing pattern's column holds no data
    const upwards = ((right + 1) & 2) === 0;
    for (let step = 0; step < size; step += 1) {
      const row = upwards ? size - 1 - step : step;
      for (const column of [right, right - 1]) {
        if (fixed[row * size + column] || at >= words.length * 8) continue;
        modules[row * size + column] = (words[at >> 3] >> (7 - (at & 7))) & 1;
        at += 1;
      }
    }
  }
}

function turn(plan, mask) {
  const over = MASKS[mask];
  for (let row = 0, at = 0; row < plan.size; row += 1) {
    for (let column = 0; column < plan.size; column += 1, at += 1) {
      if (!plan.fixed[at] && over(row, column)) plan.modules[at] ^= 1;
    }
  }
}

function chooseMask(plan) {
  let best = 0;
  let lowest = Infinity;
  for (let mask = 0; mask < MASKS.length; mask += 1) {
    const tried = { ...plan, modules: plan.modules.slice() };
    turn(tried, mask);
    const score = penalty(tried.modules, plan.size);
    if (score < lowest) [best, lowest] = [mask, score];
  }
  return best;
}

/** Return the penalty of a masked symbol (7.8.3.1, table 11). */
export function penalty(modules, size) {
  let score = 0;
  let dark = 0;
  const line = new Uint8Array(size);
  for (let first = 0; first < size; first += 1) {
    const row = modules.subarray(first * size, (first + 1) * size);
    for (let at = 0; at < size; at += 1) {
      dark += row[at];
      line[at] = modules[at * size + first];
    }
    score += runs(row) + runs(line) + finderLike(row) + finderLike(line);
    if (first) score += squares(modules, size, first);
  }
  return score + 10 * Math.floor(Math.abs((dark / (size * size)) * 100 - 50) / 5);
}

function runs(line) {
  let score = 0;
  let length = 1;
  for (let at = 1; at <= line.length; at += 1) {
    if (at < line.length && line[at] === line[at - 1]) {
      length += 1;
      continue;
    }
    if (length >= 5) score += length - 2;
    length = 1;
  }
  return score;
}

function squares(modules, size, row) {
  let score = 0;
  for (let at = row * size + 1; at < (row + 1) * size; at += 1) {
    const same = modules[at] === modules[at - 1] && modules[at] === modules[at - size];
    if (same && modules[at] === modules[at - size - 1]) score += 3;
  }
  return score;
}

/** Score 1:1:3:1:1 runs with four light modules before or after; what lies beyond the border is light. */
function finderLike(line) {
  let score = 0;
  for (let at = 0; at + 7 <= line.length; ) {
    if (!isFinder(line, at)) at += 1;
    else if (isLight(line, at - 4, at) || isLight(line, at + 7, at + 11)) {
      score += 40;
      at += 7;
    } else at += 4;
  }
  return score;
}

function isFinder(line, at) {
  const ends = line[at] & line[at + 2] & line[at + 3] & line[at + 4] & line[at + 6];
  return ends === 1 && line[at + 1] === 0 && line[at + 5] === 0;
}

function isLight(line, from, to) {
  for (let at = Math.max(from, 0); at < Math.min(to, line.length); at += 1) if (line[at]) return false;
  return true;
}

function drawFormat(plan, level, mask) {
  const { size } = plan;
  const data = (LEVEL_BITS[level] << 3) | mask;
  const bits = ((data << 10) | bch(data, 10, 0x537)) ^ 0x5412;
  for (let bit = 0; bit < 15; bit += 1) {
    const dark = (bits >> bit) & 1;
    // Around the upper left finder, past the timing patterns; then shared between the other two.
    if (bit < 8) set(plan, bit < 6 ? bit : bit + 1, 8, dark);
    else set(plan, 8, bit === 8 ? 7 : 14 - bit, dark);
    if (bit < 8) set(plan, 8, size - 1 - bit, dark);
    else set(plan, size - 15 + bit, 8, dark);
  }
  set(plan, size - 8, 8, true);
}

function drawVersion(plan, version) {
  if (version < 7) return;
  const bits = (version << 12) | bch(version, 12, 0x1f25);
  eachVersionModule(plan.size, (row, column, bit) => set(plan, row, column, (bits >> bit) & 1));
}

/** Return the check bits of a Bose-Chaudhuri-Hocquenghem code (annexes C and D). */
function bch(data, width, polynomial) {
  let rest = data;
  for (let bit = 0; bit < width; bit += 1) rest = (rest << 1) ^ ((rest >> (width - 1)) & 1 ? polynomial : 0);
  return rest;
}
