import { BACKOFF_MAX_MS } from './backoff.js';
import type { Item } from './merge.js';

export const ATTEMPTS_MAX = 5;
const ITEMS_MAX = 1_000;
/** Of a batch, as UTF-8, envelope included: far below what a proxy's default lets through. */
export const BYTES_MAX = 262_144;
const ENVELOPE_BYTES = 200;

export const utf8Length = (text: string): number => new TextEncoder().encode(text).length;

/**
 * How many items go together. After an error that may be any one's fault they go in ever smaller groups, until the culprit stands alone.
 */
export const groupSize = (attempts: number): number => Math.max(1, Math.floor(ITEMS_MAX / 10 ** attempts));

const PARKED_RETRY_MS = 300_000;
const PARKED_RETRY_MAX_MS = 86_400_000;

/** Whether its wait is over. No wait is longer than the longest: else the clock was set back. */
const isDue = (item: Item, now: number, waitMsMax: number): boolean => item.notBefore <= now || item.notBefore > now + waitMsMax;

export const isParkedDue = (item: Item, now: number): boolean => isDue(item, now, PARKED_RETRY_MAX_MS);

/** How long what was set aside is left alone before it is tried by itself: 5, 10, 20 … minutes, up to a day. */
export const parkedMs = (attempts: number): number => Math.min(PARKED_RETRY_MAX_MS, PARKED_RETRY_MS * 2 ** (attempts - ATTEMPTS_MAX));

export interface Selection {
  items: Item[];
  /** When the first of those that wait may go; undefined if none waits. */
  nextAt?: number;
}

/**
 * The next batch: of one type, in order, at least one item, one item per entity, since an item may only follow once the one before it is
 * answered.
 */
export function selectBatch(queue: readonly Item[], now: number, bytes: (item: Item) => number, bytesMax = BYTES_MAX): Selection {
  const items: Item[] = [];
  const seen = new Set<string>();
  let total = ENVELOPE_BYTES;
  let nextAt: number | undefined;
  for (const item of queue) {
    const entity = `${item.type}\0${item.id}`;
    if (seen.has(entity)) continue;
    seen.add(entity);
    if (!isDue(item, now, BACKOFF_MAX_MS)) {
      nextAt = Math.min(nextAt ?? Infinity, item.notBefore);
      continue;
    }
    const first = items[0];
    if (first && (item.type !== first.type || item.attempts !== first.attempts)) continue;
    total += bytes(item) + 1;
    if (first && (items.length >= groupSize(first.attempts) || total > bytesMax)) break;
    items.push(item);
  }
  return nextAt === undefined ? { items } : { items, nextAt };
}
