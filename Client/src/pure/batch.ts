import { BACKOFF_MAX_MS } from './backoff.js';
import type { Item } from './merge.js';

export const ATTEMPTS_MAX = 5;
const ITEMS_MAX = 1_000;
/** The size limit of a batch as UTF-8, envelope included. It is far below a proxy's default body limit. */
export const BYTES_MAX = 262_144;
const ENVELOPE_BYTES = 200;

export const utf8Length = (text: string): number => new TextEncoder().encode(text).length;

/**
 * The largest batch after so many attempts. Batches shrink after an error that any of their items may have caused, until the faulty item is
 * alone.
 */
export const groupSize = (attempts: number): number => Math.max(1, Math.floor(ITEMS_MAX / 10 ** attempts));

const PARKED_RETRY_MS = 300_000;
const PARKED_RETRY_MAX_MS = 86_400_000;

/** Whether an item's wait is over. A wait longer than the longest possible one means that the clock was set back. */
const isDue = (item: Item, now: number, waitMsMax: number): boolean => item.notBefore <= now || item.notBefore > now + waitMsMax;

export const isParkedDue = (item: Item, now: number): boolean => isDue(item, now, PARKED_RETRY_MAX_MS);

/** The wait before a parked edit is tried again: 5, 10, 20 … minutes, up to a day. */
export const parkedMs = (attempts: number): number => Math.min(PARKED_RETRY_MAX_MS, PARKED_RETRY_MS * 2 ** (attempts - ATTEMPTS_MAX));

export interface Selection {
  items: Item[];
  /** When the first of the waiting items may be sent; undefined if none waits. */
  nextAt: number | undefined;
}

/**
 * Selects the next batch: in order, one type, at least one item, and one item per entity, because an item may follow only once the previous
 * one is answered.
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
  return { items, nextAt };
}
