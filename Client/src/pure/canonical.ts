import { sha256 } from './sha256.js';

/** Canonical JSON, docs/protocol.md section 5: members sorted at every depth, no white space. */
export const canonical = (value: unknown): string => JSON.stringify(sortMembers(value)) ?? 'null';

export const checksum = (value: unknown): string => sha256(canonical(value));

// JavaScript orders member names that are array indices first, by number. The server does the same.
function sortMembers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortMembers);
  if (!value || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, member]) => [name, sortMembers(member)]));
}
