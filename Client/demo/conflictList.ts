import type { Conflict } from '../src/index.js';
import { button, make, refill } from './dom.js';
import { draftOf, fieldsOf, titleOf, writerOf } from './journal.js';

const REASONS: Readonly<Record<string, string>> = {
  stale: 'A later edit was stored first.',
  deleted: 'It had been deleted meanwhile.',
  replaced: 'A later edit took its place.',
};

export interface ConflictActions {
  /** The document that the device shows now; undefined if it is deleted. */
  current(id: string): object | undefined;
  act(work: () => Promise<void>, done: string): void;
}

/** Shows each lost edit beside the stored document. */
export function showConflicts(list: HTMLElement, conflicts: readonly Conflict[], actions: ConflictActions): void {
  const key = JSON.stringify(conflicts.map(({ id, entityId }) => [id, actions.current(entityId)]));
  refill(list, key, () => conflicts.map(conflict => item(conflict, actions)));
}

function item(conflict: Conflict, actions: ConflictActions): HTMLLIElement {
  const title = titleOf(conflict.document);
  const current = actions.current(conflict.entityId);
  const aside = setAside(conflict, current);
  const what = conflict.members ? ` Set aside: ${fieldsOf(conflict.members)}.` : '';
  return make('li', { 'data-id': conflict.id },
    make('p', { class: 'why' }, (REASONS[conflict.reason] ?? conflict.reason) + what),
    make('div', { class: 'versions' }, version('Set aside', aside, current), version('Stored now', current, aside)),
    make('div', { class: 'row' },
      button('Restore', 'primary small', () => actions.act(() => conflict.restore(), `“${title}” is restored.`), title),
      button('Dismiss', 'quiet small', () => actions.act(() => conflict.discard(), `“${title}” is dismissed.`), title)));
}

/** The document that restoring gives: only the members that lost are written into what is stored. */
function setAside({ members, document }: Conflict, current: object | undefined): object {
  if (!members || !current) return document;
  const names = members.map(pointer => pointer.split('/')[1]!);
  return { ...current, writtenOn: document.writtenOn, ...Object.fromEntries(names.map(name => [name, document[name]])) };
}

/** Marks the parts that differ from the other version. */
function version(label: string, document: object | undefined, other: object | undefined): HTMLElement {
  const heading = make('h4', {}, label);
  if (!document) return make('div', { class: 'version' }, heading, make('p', { class: 'notes' }, 'Deleted.'));
  const [one, two] = [draftOf(document), other && draftOf(other)];
  const part = (tag: 'p' | 'span', kind: string, text: string, differs: boolean) =>
    make(tag, { class: kind }, differs ? make('mark', {}, text) : text);
  const writer = writerOf(document);
  return make('div', { class: 'version' }, heading,
    make(
      'p', { class: 'version-title' }, part('span', '', one.title, !!two && one.title !== two.title), ' ',
      part('span', 'minutes', `${one.minutes} min`, !!two && one.minutes !== two.minutes)),
    ...(one.notes ? [part('p', 'notes', one.notes, !!two && one.notes !== two.notes)] : []),
    ...(writer ? [make('p', { class: 'writer', 'data-writer': writer }, `on the ${writer.toLowerCase()}`)] : []));
}
