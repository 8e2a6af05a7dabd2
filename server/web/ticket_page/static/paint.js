/** A QR symbol on a canvas: black on white whatever the page's colours, every module the same whole number of pixels. */

import { QUIET_ZONE } from "./qr.js";

/** Paint a symbol as large as fits into `room` CSS pixels, its quiet zone included. */
export function paint(canvas, symbol, room) {
  const modules = symbol.size + 2 * QUIET_ZONE;
  const density = globalThis.devicePixelRatio || 1;
  const scale = Math.max(1, Math.floor((room * density) / modules));
  const side = modules * scale;
  canvas.width = side; // also clears it
  canvas.height = side;
  canvas.style.width = `${side / density}px`;
  canvas.style.height = `${side / density}px`;
  const pen = canvas.getContext("2d", { alpha: false });
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, side, side);
  pen.fillStyle = "#000";
  for (let row = 0; row < symbol.size; row += 1) {
    for (let column = 0; column < symbol.size; column += 1) {
      if (!symbol.modules[row * symbol.size + column]) continue;
      pen.fillRect((column + QUIET_ZONE) * scale, (row + QUIET_ZONE) * scale, scale, scale);
    }
  }
}
