/** What this phone keeps of a ticket, in IndexedDB. Where that is forbidden or full, nothing is kept and nothing fails. */

const NAME = "tickettoken";
const TICKETS = "tickets";

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function open() {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(TICKETS, { keyPath: "link" });
  return settled(request);
}

let last = Promise.resolve();

/** Do one thing after the other: what is forgotten must not be kept again by somebody who began earlier. */
function run(mode, action) {
  const next = last.then(() => transact(mode, action));
  last = next.catch(() => undefined); // whoever waits for `next` hears of it
  return next;
}

async function transact(mode, action) {
  const database = await open();
  try {
    const transaction = database.transaction(TICKETS, mode);
    const done = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    const [result] = await Promise.all([settled(action(transaction.objectStore(TICKETS))), done]);
    return result;
  } finally {
    database.close();
  }
}

/** Return what is kept under a link, or null. */
export async function load(link) {
  try {
    return (await run("readonly", (tickets) => tickets.get(link))) ?? null;
  } catch {
    return null;
  }
}

/** Keep a ticket under its `link`; return whether that worked. */
export async function keep(ticket) {
  try {
    await run("readwrite", (tickets) => tickets.put(ticket));
    return true;
  } catch {
    return false;
  }
}

/** Forget a link and everything kept under it; return whether nothing is left. */
export async function forget(link) {
  try {
    await run("readwrite", (tickets) => tickets.delete(link));
    return true;
  } catch {
    return false;
  }
}
