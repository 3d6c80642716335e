import { history } from '../src/history.js';
import type { Sync } from '../src/index.js';
import { button, make, refill } from './dom.js';

const KEPT = 5;

interface Deleted {
  id: string;
  title: string;
}

/** The entries that were deleted last. The list is kept across reloads; the entries themselves are in the server's history. */
export class DeletedList {
  constructor(private readonly list: HTMLElement, private readonly key: string) {}

  get entries(): Deleted[] {
    return JSON.parse(localStorage.getItem(this.key) ?? '[]') as Deleted[];
  }

  note(removed: readonly Deleted[], shown: ReadonlyMap<string, unknown>): void {
    const known = this.entries.filter(({ id }) => !removed.some(entry => entry.id === id));
    const next = [...removed, ...known].filter(({ id }) => !shown.has(id)).slice(0, KEPT);
    localStorage.setItem(this.key, JSON.stringify(next));
  }

  show(restore: (entry: Deleted) => void): void {
    const { entries } = this;
    refill(this.list, JSON.stringify(entries), () => entries.map(entry => make('li', {},
      make('span', { class: 'what' }, `“${entry.title}” is deleted`),
      button('Bring back', 'quiet small', () => restore(entry), entry.title))));
  }
}

/** Restores the newest version that has a document. */
export async function bringBack(sync: Sync, id: string): Promise<void> {
  for await (const version of history(sync, 'logbook_entry', id)) if (version.document) return version.restore();
  throw new Error('The server does not keep an earlier version of this entry.');
}
