/** Which screen a ticket has at a moment: a decision without page, storage or network. */

export const CODE = "code";
const FINAL = ["replaced", "void", "locked", "over", "cancelled"];

/**
 * Return { name } of the screen, for "code" with the `epoch`, for "early" with `fromMs`, when the code appears.
 *
 * `known` is { ticket, standing, wallet } as kept or as the server last said it, or null; `heard` is "asking", "away",
 * "invalid" or "heard": how the last question to the server ended.
 */
export function choose(known, heard, nowMs) {
  if (heard === "invalid") return { name: "invalid" };
  if (known === null) return { name: heard === "away" ? "unreachable" : "loading" };
  if (FINAL.includes(known.standing)) return { name: known.standing };
  const { seed, revealMs, epochs } = known.wallet ?? {};
  const missing = { name: heard === "away" ? "stale" : "loading" };
  if (!epochs?.length || nowMs === null) return missing;
  const fromMs = Math.max(seed ? 0 : revealMs, epochs[0].fromMs);
  if (nowMs < fromMs) return { name: "early", fromMs };
  const epoch = epochs.find((one) => one.fromMs <= nowMs && nowMs < one.toMs);
  return epoch && seed ? { name: CODE, epoch } : missing;
}

/** Return the slot of a moment in an epoch, 1 for the first, with the number of slots and when this one ends. */
export function slotAt(epoch, slotMs, nowMs) {
  const slot = 1 + Math.floor((nowMs - epoch.fromMs) / slotMs);
  const count = Math.ceil((epoch.toMs - epoch.fromMs) / slotMs);
  return { slot, count, endsMs: Math.min(epoch.fromMs + slot * slotMs, epoch.toMs) };
}
