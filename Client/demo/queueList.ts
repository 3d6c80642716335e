import type { QueuedEdit, Sync } from '../src/index.js';
import { button, make, refill } from './dom.js';
import { titleOf } from './journal.js';

const SHOWN = 20;

/** What waits to be sent, and what the server does not take. */
export function showQueue(list: HTMLElement, edits: readonly QueuedEdit[], sync: Sync, known: (id: string) => string): void {
  // Refused edits come first, because they need a decision.
  const ordered = [...edits.filter(edit => edit.state === 'poisoned'), ...edits.filter(edit => edit.state === 'pending')];
  const shown = ordered.slice(0, SHOWN);
  const rest = ordered.length - shown.length;
  refill(list, JSON.stringify([rest, shown]), () => [
    ...shown.map(edit => (edit.state === 'poisoned' ? refused(edit, sync) : pending(edit, known))),
    ...(rest ? [make('li', { class: 'rest' }, `and ${rest.toLocaleString('en')} more`)] : []),
  ]);
}

const nameOf = (edit: QueuedEdit, known: (id: string) => string) => (edit.doc ? titleOf(edit.doc) : known(edit.id));

function pending(edit: QueuedEdit, known: (id: string) => string): HTMLLIElement {
  const again = edit.attempts ? `, ${edit.attempts} failed ${edit.attempts === 1 ? 'attempt' : 'attempts'}` : '';
  return make(
    'li', {}, make('span', { class: 'verb' }, edit.doc ? 'write' : 'delete'), make('span', { class: 'what' }, nameOf(edit, known) + again));
}

function refused(edit: QueuedEdit, sync: Sync): HTMLLIElement {
  const title = titleOf(edit.doc);
  return make('li', { class: 'refused' },
    make('p', {}, make('b', {}, title), ` was not taken: ${edit.error?.message ?? 'the server gave no reason'}`),
    make('div', { class: 'row' },
      button('Retry', 'quiet small', () => void sync.retry(edit.n), title),
      button('Discard', 'quiet small', () => void sync.discard(edit.n), title)));
}
