// A time past this year cannot be written as ISO 8601 by every party, and the server takes it for none: such a claim would beat nothing.
const LAST_USABLE_MS = Date.UTC(9999, 0, 1);

/** The next moment of a clock that never runs behind what it has seen: an edit made after reading another is later than it, whatever the device's own clock says. */
export const tick = (now: number, seen: number): number => Math.max(now, seen + 1);

/** What the clock has seen once it saw `moment` too. */
export const witness = (seen: number, moment: number): number => (moment > seen && moment < LAST_USABLE_MS ? moment : seen);

/** A wire time in epoch milliseconds: ISO 8601, or, as older clients write it, a number. What cannot be read is 0. */
export function moment(value: unknown): number {
  const ms = typeof value === 'number' ? value : typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isFinite(ms) && ms > 0 ? Math.floor(ms) : 0;
}

export const iso = (ms: number): string => new Date(ms).toISOString();
