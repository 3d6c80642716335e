// Not every party can write a later time as ISO 8601. The server ignores it, so such an edit would never win.
const LATEST_MS = Date.UTC(9999, 0, 1);

/** Returns the time of an edit: later than its document's previous time, whatever the device's clock says. Other documents do not count. */
export const editTime = (now: number, before: number): number => (before < LATEST_MS ? Math.max(now, before + 1) : now);

/** Parses a wire time to epoch milliseconds: ISO 8601, or a number as older clients write it. Returns 0 for anything else. */
export function parseTime(value: unknown): number {
  const ms = typeof value === 'number' ? value : typeof value === 'string' ? Date.parse(value) : NaN;
  return Number.isFinite(ms) && ms > 0 ? Math.floor(ms) : 0;
}

export const toIso = (ms: number): string => new Date(ms).toISOString();
