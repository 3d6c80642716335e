// A time past this year cannot be written as ISO 8601 by every party, and the server takes it for none: such a claim would beat nothing.
const LATEST_MS = Date.UTC(9999, 0, 1);

/**
 * The time of an edit: later than the one that its document had before, whatever the device's own clock says. What another document claims
 * does not count.
 */
export const editTime = (now: number, before: number): number => (before < LATEST_MS ? Math.max(now, before + 1) : now);

/** A wire time in epoch milliseconds: ISO 8601, or, as older clients write it, a number. What cannot be read is 0. */
export function parseTime(value: unknown): number {
  const ms = typeof value === 'number' ? value : typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isFinite(ms) && ms > 0 ? Math.floor(ms) : 0;
}

export const toIso = (ms: number): string => new Date(ms).toISOString();
