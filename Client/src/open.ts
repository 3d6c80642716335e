import { claims } from './pure/wire.js';
import { Store } from './store/store.js';
import { isValidId, ID_RULE } from './pure/document.js';
import { Credentials } from './net/credentials.js';
import type { Sync, SyncOptions } from './types.js';
import { defaultPlatform } from './platform.js';
import { Device } from './device.js';

/** Opens a device of the token's user. It works from the local store at once and connects to the server in the background. */
export async function openSync(userOptions: SyncOptions): Promise<Sync> {
  const options = { ...userOptions, url: withoutTrailingSlash(userOptions.url) };
  if (typeof indexedDB === 'undefined') throw new Error("No IndexedDB here. In Node import 'fake-indexeddb/auto' first.");
  if (userOptions.device !== undefined && !isValidId(userOptions.device)) throw new TypeError(`device: ${ID_RULE}.`);
  const platform = { ...defaultPlatform(), ...(userOptions.WebSocket && { WebSocket: userOptions.WebSocket }), ...userOptions.platform };
  const credentials = new Credentials(userOptions.token, platform.now);
  const user = userOptions.user ?? claims(await credentials.get()).sub;
  if (!user) throw new Error('The token has no `sub`. Pass `user`.');
  credentials.user = user;

  // Each user has a database, a lock and a channel of their own, so that data of two users never mix.
  const prefix = `mirubato-sync:${userOptions.name ?? ''}:${user}@`;
  const name = prefix + withoutTrailingSlash(userOptions.formerUrl ?? userOptions.url);
  let device: Device | undefined;
  const store = await Store.open(name, () => void device?.close(), options.merging);
  device = new Device(
    { name, user, device: userOptions.device ?? (await store.device(platform.randomId())), store, credentials, platform }, options);
  void listLeftBehind(prefix, name).then(found => found.forEach(left => device!.events.emit('leftBehind', left)), () => {});
  return device;
}

const withoutTrailingSlash = (url: string): string => url.replace(/\/+$/, '');

/** Lists the unsent edits that belong to other addresses of the server. Not every browser can list its databases. */
async function listLeftBehind(prefix: string, name: string): Promise<{ url: string; edits: number }[]> {
  const others = (await indexedDB.databases())
    .map(database => database.name!)
    .filter(other => other !== name && other.startsWith(`${prefix}http`));
  const found = await Promise.all(others.map(async other => {
    const store = await Store.open(other, () => {});
    const { pending, poisoned } = await store.counts();
    store.close();
    return { url: other.slice(prefix.length), edits: pending + poisoned };
  }));
  return found.filter(({ edits }) => edits);
}
