import type { Device } from './device.js';
import { recordedErrors, type KnownError } from './errorRecorder.js';
import type { Failure } from './net/failure.js';
import { Digest } from './pure/digest.js';
import type { Item, Row } from './pure/merge.js';
import { readSnapshot, type Snapshot } from './store/snapshot.js';
import type { Sync, SyncStatus } from './types.js';

export { recordErrors, type KnownError } from './errorRecorder.js';

/** The version of this package. */
export const SDK_VERSION = '0.1.0';

const PROTOCOL_VERSION = 1;
const PARKED_MAX = 100;
const TEXT_MAX = 300;

/**
 * What somebody who looks after a server needs to know of a device. It holds ids and types of parked edits, and no document, token or
 * secret. `mirubato doctor --bundle FILE` reads it.
 */
export interface SupportBundle {
  format: 'mirubato-support';
  version: 1;
  /** When it was made, by the device's clock. Times are ISO 8601. */
  at: string;
  /** What the app passed; absent otherwise. */
  app?: string | undefined;
  /** The user's id, if the app passed it; absent otherwise. */
  user?: string | undefined;
  sdk: string;
  protocol: number;
  userAgent: string | null;
  /** `store` is the option `name`. */
  device: { id: string; store: string };
  status: Pick<SyncStatus, 'connection' | 'queue' | 'leader' | 'offline'>;
  /**
   * Where this device stands in the user's history. `epoch` is null before the first pull. `digest` is that of what the device holds, and
   * null if that changed while the bundle was made.
   */
  cursor: { epoch: string | null; lastSeq: number; digest: string | null };
  /** How many documents of the server this device holds, by type. */
  entities: Record<string, number>;
  /** Edits that wait to be sent. `byError` counts those whose last attempt failed, by code. */
  unsent: { count: number; oldestAt: string | null; byType: Record<string, number>; byError: Record<string, number> };
  /** Edits that the server refused: how many, and the oldest 100. */
  parked: { count: number; edits: ParkedEdit[] };
  /** The last batch that failed and was not answered since; null if there is none. */
  lastFailure: RequestFailure | null;
  /** What went wrong since `recordErrors`, oldest first; empty without it. */
  errors: KnownError[];
  /** What the browser says of its storage; null where it does not say. */
  storage: { usedBytes: number | null; quotaBytes: number | null; persisted: boolean | null };
  server: ServerView;
}

/** An edit that the server refused. `id` is null where it would be the user's. */
export interface ParkedEdit {
  type: string;
  id: string | null;
  deletes: boolean;
  /** An item reason or an error code of the protocol. */
  reason: string;
  attempts: number;
  at: string;
  /** True if the device retries it by itself. */
  retries: boolean;
}

export interface RequestFailure {
  code: string;
  /** The HTTP status; 0 if nothing was answered. */
  status: number;
}

/** What the server said while the bundle was made. Members that it did not say are null. */
export interface ServerView {
  url: string;
  version: string | null;
  protocol: number | null;
  /** How far the device's clock is ahead of the server's; negative if it is behind. */
  clockAheadMs: number | null;
  roundTripMs: number | null;
  epoch: string | null;
  lastSeq: number | null;
  digest: string | null;
  entities: number | null;
  /** Why it did not say everything; null if it did. */
  failure: RequestFailure | null;
}

export interface SupportOptions {
  /** Names the app and its version, as `Journal 2.1`. */
  app?: string;
  /** The user's id. It is in the bundle only if it is passed here. */
  user?: string;
}

/**
 * Makes a support bundle of this device, to be sent as JSON. It reads the local store and asks the server twice; without a network the
 * bundle says so. Rejects if the device's data was deleted.
 */
export async function supportBundle(sync: Sync, { app, user }: SupportOptions = {}): Promise<SupportBundle> {
  const device = sync as Device;
  const before = await readSnapshot(device.store.name);
  const server = await askServer(device);
  const after = await readSnapshot(device.store.name);
  const { cursor } = after;
  const digest = digestOf(after);
  const isStill = before.cursor.lastSeq === cursor.lastSeq && digestOf(before) === digest;
  const { connection, queue, leader, offline } = sync.status;
  return {
    format: 'mirubato-support', version: 1, at: iso(device.platform.now()), ...(app && { app }), ...(user && { user }), sdk: SDK_VERSION,
    protocol: PROTOCOL_VERSION, userAgent: text(globalThis.navigator?.userAgent),
    device: { id: sync.status.device, store: storeName(device) },
    status: { connection, queue, leader, offline },
    cursor: { epoch: epochOf(cursor.token), lastSeq: cursor.lastSeq, digest: isStill ? digest : null },
    entities: countBy(held(after), row => row.type),
    ...edits(after.queue),
    lastFailure: failureFrom(device.connection.queue.failure),
    errors: recordedErrors(sync),
    storage: await storage(),
    server,
  };
}

const held = ({ rows }: Snapshot): Row[] => rows.filter(row => row.doc && row.version);

function digestOf(snapshot: Snapshot): string {
  const digest = new Digest();
  for (const { type, id, version } of held(snapshot)) digest.add(type, id, version);
  return digest.toString();
}

function edits(queue: Snapshot['queue']): Pick<SupportBundle, 'unsent' | 'parked'> {
  const [unsent, parked] = [queue.filter(({ live }) => live === 1), queue.filter(({ live }) => live !== 1)];
  const failing = unsent.filter(({ error }) => error);
  return {
    unsent: {
      count: unsent.length, oldestAt: unsent.length ? iso(Math.min(...unsent.map(({ at }) => at))) : null,
      byType: countBy(unsent, ({ type }) => type), byError: countBy(failing, ({ error }) => text(error?.code) ?? '?'),
    },
    parked: { count: parked.length, edits: parked.slice(0, PARKED_MAX).map(toParkedEdit) },
  };
}

const toParkedEdit = ({ type, id, doc, error, attempts, at, live }: Item): ParkedEdit => ({
  // The preferences are stored under the user's id.
  type, id: type === 'user_preferences' ? null : id, deletes: !doc, reason: text(error?.code) ?? '?', attempts, at: iso(at),
  retries: live === 2,
});

async function askServer({ http, platform }: Device): Promise<ServerView> {
  const view: ServerView = {
    url: withoutCredentials(http.url), version: null, protocol: null, clockAheadMs: null, roundTripMs: null, epoch: null, lastSeq: null,
    digest: null, entities: null, failure: null,
  };
  try {
    const sentAt = platform.now();
    const health = (await http.call('GET', '/health')).body as Partial<Record<'timestamp' | 'version', unknown>>;
    const receivedAt = platform.now();
    const serverMs = Date.parse(String(health.timestamp));
    if (Number.isNaN(serverMs)) return { ...view, failure: { code: 'UNKNOWN_ANSWER', status: 200 } };
    view.version = text(health.version);
    view.roundTripMs = receivedAt - sentAt;
    view.clockAheadMs = Math.round((sentAt + receivedAt) / 2 - serverMs);
    const status = (await http.call('GET', '/api/sync/status')).body as Partial<Record<string, unknown>>;
    view.protocol = number(status.schemaVersion);
    view.epoch = epochOf(status.syncToken);
    view.lastSeq = number(status.lastSeq);
    view.digest = text(status.digest);
    view.entities = number(status.entityCount);
  } catch (error) {
    view.failure = failureFrom(error) ?? { code: text((error as Error | undefined)?.name) ?? '?', status: 0 };
  }
  return view;
}

function failureFrom(error: unknown): RequestFailure | null {
  const { code, status } = (error ?? {}) as Partial<Failure>;
  return typeof code === 'string' ? { code: text(code)!, status: status ?? 0 } : null;
}

async function storage(): Promise<SupportBundle['storage']> {
  const known = globalThis.navigator?.storage as Partial<StorageManager> | undefined;
  const { usage, quota } = (await known?.estimate?.().catch(() => undefined)) ?? {};
  const persisted = await known?.persisted?.().catch(() => undefined);
  return { usedBytes: number(usage), quotaBytes: number(quota), persisted: persisted ?? null };
}

/** The database's name is `mirubato-sync:<name>:<user>@<url>`, of which a bundle may not hold the user. */
function storeName({ store, user }: Device): string {
  const begin = 'mirubato-sync:'.length;
  return store.name.slice(begin, Math.max(begin, store.name.lastIndexOf(`:${user}@`)));
}

function withoutCredentials(url: string): string {
  try {
    const { origin, pathname } = new URL(url);
    return origin + pathname.replace(/\/$/, '');
  } catch {
    return '';
  }
}

/** A sync token is `<epoch>.<seq>`. */
const epochOf = (token: unknown): string | null => (typeof token === 'string' && token ? token.split('.')[0]! : null);

const iso = (ms: number): string => new Date(ms).toISOString();

/** Whoever answered in the server's place may have sent anything. */
const text = (value: unknown): string | null => (typeof value === 'string' ? value.slice(0, TEXT_MAX) : null);

const number = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null);

function countBy<T>(list: readonly T[], key: (item: T) => string): Record<string, number> {
  const counts = new Map<string, number>();
  for (const item of list) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}
