import { LONGEST_MS } from './backoff.js';
import type { Item } from './merge.js';

export const ATTEMPTS_MAX = 5;
const ITEMS_MAX = 1_000;
/** Of a batch, as UTF-8, envelope included: far below what a proxy's default lets through. */
export const BYTES_MAX = 262_144;
const ENVELOPE_BYTES = 200;

export const bytesOf = (text: string): number => new TextEncoder().encode(text).length;

/** How many items go together. After an error that may be any one's fault they go in ever smaller groups, until the culprit stands alone. */
export const groupSize = (attempts: number): number => Math.max(1, Math.floor(ITEMS_MAX / 10 ** attempts));

const AGAIN_MS = 300_000;
const AGAIN_MAX_MS = 86_400_000;

/** Whether its wait is over. No wait is longer than the longest: else the clock was set back. */
const isDue = (item: Item, now: number, longest: number): boolean => item.notBefore <= now || item.notBefore > now + longest;

export const isDueAgain = (item: Item, now: number): boolean => isDue(item, now, AGAIN_MAX_MS);

/** How long what was set aside is left alone before it is tried by itself: 5, 10, 20 … minutes, up to a day. */
export const asideMs = (attempts: number): number => Math.min(AGAIN_MAX_MS, AGAIN_MS * 2 ** (attempts - ATTEMPTS_MAX));

export interface Selection {
  items: Item[];
  /** When the first of those that wait may go; undefined if none waits. */
  nextAt?: number;
}

/** The next batch: of one type, in order, at least one item, one item per entity, since an item may only follow once the one before it is answered. */
export function select(queue: readonly Item[], now: number, bytes: (item: Item) => number, bytesMax = BYTES_MAX): Selection {
  const items: Item[] = [];
  const passed = new Set<string>();
  let total = ENVELOPE_BYTES;
  let nextAt: number | undefined;
  for (const item of queue) {
    const entity = `${item.type}\0${item.id}`;
    if (passed.has(entity)) continue;
    passed.add(entity);
    if (!isDue(item, now, LONGEST_MS)) {
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
