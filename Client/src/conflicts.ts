import type { Http } from './net/http.js';
import type { Conflict } from './types.js';

interface Page {
  conflicts: (Omit<Conflict, 'type' | 'restore' | 'discard'> & { entityType: string })[];
  hasMore: boolean;
  next?: string;
}

/** Reads all pages of the conflict feed. A restored document arrives by a pull. */
export async function listConflicts(http: Http, pull: () => Promise<void>): Promise<Conflict[]> {
  const found: Conflict[] = [];
  for (let after: string | undefined = ''; after !== undefined; ) {
    const path = `/api/sync/conflicts?limit=100${after && `&after=${encodeURIComponent(after)}`}`;
    const page: Page = (await http.call('GET', path)).body as Page;
    found.push(...page.conflicts.map(({ entityType, ...rest }) => ({ ...rest, type: entityType, ...actions(http, rest.id, pull) })));
    after = page.hasMore ? page.next : undefined;
  }
  return found;
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
