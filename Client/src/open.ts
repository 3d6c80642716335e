import { Device } from './device.js';
import { Credentials } from './net/credentials.js';
import { thisPlatform } from './platform.js';
import { isUsable, USABLE } from './pure/document.js';
import { claims } from './pure/wire.js';
import { Store } from './store/store.js';
import type { Sync, SyncOptions } from './types.js';

/** Opens a device of the token's user. It works from the local store at once, and is in touch with the server as soon as it can be. */
export async function openSync(given: SyncOptions): Promise<Sync> {
  const options = { ...given, url: trimmed(given.url) };
  if (typeof indexedDB === 'undefined') throw new Error("There is no IndexedDB here. In Node import 'fake-indexeddb/auto' first.");
  if (given.device !== undefined && !isUsable(given.device)) throw new TypeError(`device: ${USABLE}.`);
  const platform = { ...thisPlatform(), ...(given.WebSocket && { WebSocket: given.WebSocket }), ...given.platform };
  const credentials = new Credentials(given.token, platform.now);
  const user = given.user ?? claims(await credentials.get()).sub;
  if (!user) throw new Error('Neither `user` nor a token names the user.');
  credentials.user = user;

  // Nothing of one user may meet another's: each has a database, a lock and a channel of their own.
  const mine = `mirubato-sync:${given.name ?? ''}:${user}@`;
  const name = mine + trimmed(given.formerUrl ?? given.url);
  let device: Device | undefined;
  const store = await Store.open(name, () => void device?.close());
  device = new Device({ name, user, device: given.device ?? (await store.device(platform.randomId())), store, credentials, platform }, options);
  void leftBehind(mine, name).then(found => found.forEach(left => device!.events.emit('leftBehind', left)), () => {});
  return device;
}

const trimmed = (url: string): string => url.replace(/\/+$/, '');

/** What was never sent to other addresses. Not every browser lists its databases. */
async function leftBehind(mine: string, name: string): Promise<{ url: string; edits: number }[]> {
  const others = (await indexedDB.databases()).map(database => database.name!).filter(other => other !== name && other.startsWith(`${mine}http`));
  const found = await Promise.all(others.map(async other => {
    const store = await Store.open(other, () => {});
    const { pending, poisoned } = await store.counts();
    store.close();
    return { url: other.slice(mine.length), edits: pending + poisoned };
  }));
  return found.filter(({ edits }) => edits);
}
