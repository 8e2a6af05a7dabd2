/** Keeps the ticket page itself on the phone, so that it opens without a network; tickets are kept by the page. */

const BUILD = "@BUILD@";
const SHELL = "/t/";
const FILES = "@FILES@".split(" ");
const PREFIX = "ticket-page-";

self.addEventListener("install", (event) => {
  event.waitUntil(install());
});

self.addEventListener("activate", (event) => {
  event.waitUntil(activate());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate" && /^\/t\/[^/]*$/.test(pathname)) event.respondWith(answer(request, SHELL));
  else if (FILES.includes(pathname)) event.respondWith(answer(request, pathname));
});

async function install() {
  const cache = await caches.open(PREFIX + BUILD);
  // The files' names change with their content, so the browser's own cache may serve them; the page's does not.
  const shell = await fetch(SHELL, { cache: "reload", credentials: "omit" });
  const sameBuild = shell.ok && (await shell.clone().text()).includes(BUILD);
  if (!sameBuild) throw new Error("the server is changing builds: the next visit installs");
  await cache.addAll(FILES);
  await cache.put(SHELL, shell);
  await self.skipWaiting();
}

async function activate() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== PREFIX + BUILD).map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function answer(request, path) {
  const cache = await caches.open(PREFIX + BUILD);
  return (await cache.match(path)) ?? fetch(request);
}
