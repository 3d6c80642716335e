import type { Sync } from '../../src/index.js';

/** A frame that continues `after`. */
export const entry = (id: string, seq: number, after: number) =>
  ({ type: 'ENTRY_UPDATED', entry: { id, version: seq, updatedAt: new Date(seq * 1_000).toISOString() }, seq, after });

/** The answer to a pull, at revision `seq`. */
export const pulled = (seq: number, ids: string[], more = {}) =>
  (
    {
      body: {
        entries: ids.map(id => ({ id, version: seq, updatedAt: new Date(seq * 1_000).toISOString() })), syncToken: `e.${seq}`,
        lastSeq: seq, ...more
      }
    });

export const ids = async (sync: Sync) => (await sync.collection<{ id: string }>('logbook_entry').all()).map(doc => doc.id);
