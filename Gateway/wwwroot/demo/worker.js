// Keeps the page's own files, so that it opens without a network as an offline-first app does. The network comes first: what is kept is only the last resort,
// and never anything of a user.
const KEPT = 'mirubato-demo';
const FILES = ['/demo', '/demo/demo.css', '/demo/demo.js', '/demo/icon.svg'];

self.addEventListener('install', event => {
  event.waitUntil(caches.open(KEPT).then(cache => cache.addAll(FILES)));
  self.skipWaiting();
});

self.addEventListener('activate', event => event.waitUntil(self.clients.claim()));

self.addEventListener('fetch', event => {
  const { pathname } = new URL(event.request.url);
  if (event.request.method === 'GET' && FILES.includes(pathname)) event.respondWith(fresh(event.request, pathname));
});

async function fresh(request, pathname) {
  try {
    const answer = await fetch(request);
    if (answer.ok) await (await caches.open(KEPT)).put(pathname, answer.clone());
    return answer;
  } catch (error) {
    const kept = await caches.match(pathname);
    if (kept) return kept;
    throw error;
  }
}
