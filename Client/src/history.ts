import type { Device } from './device.js';
import { normalizeId } from './pure/wire.js';
import type { Doc, Sync } from './types.js';

/** A state of an entity that the server keeps. */
export interface Version {
  version: number;
  /** True for the state that is stored now. */
  current: boolean;
  /** True for a deleted state, which has no document. */
  deleted: boolean;
  /** Absent for an unknown device, and for what a rewind wrote. */
  deviceId?: string;
  /** When the server received it, as ISO 8601. */
  arrivedAt: string;
  updatedAt: string;
  document?: Doc;
  /** Stores the document again as the newest edit, also where the entity is deleted. */
  restore(): Promise<void>;
}

interface HistoryPage {
  versions: Omit<Version, 'restore'>[];
  hasMore: boolean;
  next?: string;
}

/**
 * The versions of an entity, newest first; pages are fetched as the loop goes on. Throws a `SyncFailure` while the device is offline, and
 * with code `NOT_FOUND` for an entity that the server has never heard of.
 */
export async function* history(sync: Sync, type: string, id: string): AsyncGenerator<Version, void, undefined> {
  const path = `/api/sync/history/${encodeURIComponent(type)}/${encodeURIComponent(normalizeId(type, id))}`;
  for (let after = ''; ; ) {
    const page = await call<HistoryPage>(sync, 'GET', `${path}?after=${after}`);
    for (const version of page.versions) yield { ...version, restore: () => restore(sync, `${path}/${version.version}/restore`) };
    if (!page.hasMore || !page.next) return;
    after = encodeURIComponent(page.next);
  }
}

async function restore(sync: Sync, path: string): Promise<void> {
  await call(sync, 'POST', path);
  await sync.pull();
}

export interface RewindOptions {
  /** Takes back what the server received after this time: a `Date`, or ISO 8601. */
  to: Date | string;
  /** Takes back only what this device wrote. Later changes of others stay. */
  device?: string;
  /** Only entities of these types. */
  types?: readonly string[];
  /** Plans and writes nothing. */
  dryRun?: boolean;
  /** Continues after the page that had this `next`. */
  after?: string;
  /** Called after each page is committed, with its entities, and with `next` if there are more. */
  onPage?: (entities: readonly Rewound[], next: string | undefined) => void;
}

/** What a rewind did to an entity, or would do. Entities that it left as they were are not listed. */
export interface Rewound {
  type: string;
  id: string;
  /**
   * `unknown`: nobody knows any more how it stood. `refused`: the quota is used up. `moved`: others kept changing it; rewind again.
   */
  action: 'changed' | 'deleted' | 'restored' | 'unknown' | 'refused' | 'moved';
  version: number;
}

interface RewindPage {
  items: (Omit<Rewound, 'type' | 'id'> & { entityType: string; entityId: string })[];
  hasMore: boolean;
  next?: string;
}

/**
 * Takes back what arrived after a time, page by page, and pulls. It is not all or nothing: if it rejects, the pages before are done. Called
 * again with the same `to` it goes on, because what is done stays as it is.
 */
export async function rewind(sync: Sync, { after, onPage, to, ...options }: RewindOptions): Promise<Rewound[]> {
  const rewound: Rewound[] = [];
  const time = typeof to === 'string' ? to : to.toISOString();
  for (let next = after; ; ) {
    const page = await call<RewindPage>(sync, 'POST', '/api/sync/rewind', { ...options, to: time, after: next });
    const entities = page.items.map(({ entityType, entityId, ...rest }): Rewound => ({ type: entityType, id: entityId, ...rest }));
    rewound.push(...entities);
    next = page.hasMore ? page.next : undefined;
    onPage?.(entities, next);
    if (next === undefined) break;
  }
  if (!options.dryRun) await sync.pull();
  return rewound;
}

const call = async <T>(sync: Sync, method: string, path: string, body?: object): Promise<T> =>
  (await (sync as Device).http.call(method, path, body && JSON.stringify(body))).body as T;
