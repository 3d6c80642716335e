const BACKOFF_FIRST_MS = 1_000;
export const BACKOFF_MAX_MS = 60_000;
// The shortest wait whatever the jitter: five requests at one cursor within half a second would be a bug.
const BACKOFF_MIN_MS = 200;

/**
 * Returns the wait before attempt `failures + 1`: 1, 2, 4 … s, capped, with full jitter, so that devices that failed together retry apart.
 */
export function backoff(failures: number, random: number, atLeastMs = 0): number {
  const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.max(0, failures - 1));
  return Math.max(atLeastMs, BACKOFF_MIN_MS, Math.round(random * ceiling));
}
