/** Asking the server about a ticket, and reading its answer; anything unexpected counts as no answer. */

import { decodeBase64url } from "./base45.js";
import { SOURCES, TOLERATED } from "./clock.js";

const PATIENCE = 8000;

/**
 * Return { kind: "page", page } for an answer, { kind: "invalid" } when the server says the link is none of its own,
 * { kind: "late" } when the phone slept over the question or its clock was set meanwhile, so that the answer's time is no
 * longer the present one, { kind: "away" } for everything else: no network, a hotspot's login page, a server with other
 * troubles.
 */
export async function ask(link) {
  const wallMs = SOURCES.wall();
  const countedMs = SOURCES.monotonic();
  const answer = await askPatiently(link);
  // A phone that sleeps stops the counter, and with it the patience; a page that is frozen stops only the patience.
  const passedMs = Math.max(SOURCES.wall() - wallMs, SOURCES.monotonic() - countedMs);
  return passedMs > PATIENCE + TOLERATED ? { kind: "late" } : answer;
}

async function askPatiently(link) {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE);
  try {
    const how = { cache: "no-store", credentials: "omit", redirect: "error", signal: patience.signal };
    const response = await fetch(`/t/${link}/wallet`, how);
    const body = await response.json();
    if (response.ok) return { kind: "page", page: readPage(body) };
    return { kind: response.status === 404 && body.code === "link_invalid" ? "invalid" : "away" };
  } catch {
    return { kind: "away" };
  } finally {
    clearTimeout(timer);
  }
}

/** Return the server's answer with times in milliseconds since 1970 and keys as bytes; throws for any other form. */
export function readPage(body) {
  const { standing, serverTime, ticket, wallet } = body;
  return {
    standing: text(standing),
    serverMs: time(serverTime),
    ticket: ticket && readTicket(ticket),
    wallet: wallet && readWallet(wallet),
  };
}

function readTicket(ticket) {
  return {
    number: text(ticket.number ?? ""), // what a phone kept from before there were numbers has none
    status: text(ticket.status),
    event: text(ticket.eventName),
    type: text(ticket.ticketTypeName),
    holder: text(ticket.holderName),
    seat: text(ticket.seat),
    startsMs: time(ticket.startsAt),
    doorsMs: time(ticket.doorsAt),
  };
}

function readWallet(wallet) {
  if (!Number.isInteger(wallet.slotSeconds) || wallet.slotSeconds < 1) throw new TypeError("no slot length");
  return {
    seed: wallet.seed === null ? null : bytes(wallet.seed, 32),
    slotMs: wallet.slotSeconds * 1000,
    revealMs: time(wallet.revealAt),
    refreshMs: time(wallet.refreshAfter),
    epochs: wallet.capsules.map((one) => ({
      fromMs: time(one.from),
      toMs: time(one.to),
      capsule: bytes(one.capsule, 128),
      context: bytes(one.context, 16),
    })),
  };
}

function text(value) {
  if (typeof value !== "string") throw new TypeError("no text");
  return value;
}

function time(value) {
  const moment = Date.parse(text(value).replace(/(\.\d{3})\d+/, "$1"));
  if (Number.isNaN(moment)) throw new TypeError("no time");
  return moment;
}

function bytes(value, size) {
  const decoded = decodeBase64url(text(value));
  if (decoded.length !== size) throw new TypeError("no key");
  return decoded;
}
