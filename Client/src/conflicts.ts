import type { Http } from './net/http.js';
import type { Conflict } from './types.js';

interface Page {
  conflicts: (Omit<Conflict, 'type' | 'restore' | 'discard'> & { entityType: string })[];
  next?: string;
}

/** Reads all pages of the conflict feed. A restored document arrives by a pull. */
export async function listConflicts(http: Http, pull: () => Promise<void>): Promise<Conflict[]> {
  const found: Conflict[] = [];
  for (let after = ''; ; ) {
    const path = `/api/sync/conflicts?limit=100&after=${encodeURIComponent(after)}`;
    const { conflicts, next } = (await http.call('GET', path)).body as Page;
    found.push(...conflicts.map(({ entityType, ...rest }) => ({ ...rest, type: entityType, ...actions(http, rest.id, pull) })));
    if (!next) return found;
    after = next;
  }
}

const actions = (http: Http, id: string, pull: () => Promise<void>): Pick<Conflict, 'restore' | 'discard'> => ({
  async restore() {
    await http.call('POST', `/api/sync/conflicts/${encodeURIComponent(id)}/restore`);
    await pull();
  },
  async discard() {
    await http.call('DELETE', `/api/sync/conflicts/${encodeURIComponent(id)}`);
  },
});
