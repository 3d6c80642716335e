import { button, make, say } from './dom.js';
import { entryFields, submitsByKey } from './entryForm.js';
import { HistoryDrawer, type HistoryActions } from './historyDrawer.js';
import { draftOf, faceOf, writerOf, type Draft, type StoredEntry } from './journal.js';

const PAGE = 60;

export interface EntryActions extends HistoryActions {
  save(entry: StoredEntry, draft: Draft): Promise<void>;
  remove(entry: StoredEntry): Promise<void>;
}

interface Row {
  item: HTMLLIElement;
  face: string;
  entry: StoredEntry;
  isEditing: boolean;
  drawer?: HistoryDrawer | undefined;
}

/** The list of entries. Rows are updated in place, so that the focus stays while changes arrive. */
export class EntryList {
  private readonly rows = new Map<string, Row>();
  private shown = PAGE;
  private last: { entries: readonly StoredEntry[]; waiting: ReadonlySet<string> } = { entries: [], waiting: new Set() };

  constructor(private readonly list: HTMLElement, private readonly more: HTMLElement, private readonly actions: EntryActions) {
    more.addEventListener('click', () => {
      this.shown += PAGE;
      this.show(this.last.entries, this.last.waiting, new Set());
    });
  }

  /** In the order given. `arrived` are those that another device has just changed. */
  show(entries: readonly StoredEntry[], waiting: ReadonlySet<string>, arrived: ReadonlySet<string>): void {
    this.last = { entries, waiting };
    const visible = entries.slice(0, this.shown);
    const ids = new Set(visible.map(entry => entry.id));
    for (const [id, row] of this.rows) if (!ids.has(id)) this.drop(id, row);
    visible.forEach((entry, i) => {
      const row = this.rowOf(entry);
      if (this.list.children[i] !== row.item) this.list.insertBefore(row.item, this.list.children[i] ?? null);
      this.update(row, entry, arrived.has(entry.id));
      if (row.item.classList.contains('is-waiting') && !waiting.has(entry.id)) row.drawer?.refresh();
      row.item.classList.toggle('is-waiting', waiting.has(entry.id));
    });
    const hidden = entries.length - visible.length;
    this.more.hidden = hidden <= 0;
    say(this.more, `Show more of ${hidden.toLocaleString('en')} others`);
  }

  focus(id: string): void {
    this.rows.get(id)?.item.querySelector<HTMLElement>('button')?.focus();
  }

  private rowOf(entry: StoredEntry): Row {
    const known = this.rows.get(entry.id);
    if (known) return known;
    const row: Row = { item: make('li', { class: 'entry', 'data-id': entry.id }), face: '', entry, isEditing: false };
    this.rows.set(entry.id, row);
    return row;
  }

  private drop(id: string, row: Row): void {
    const hadFocus = row.item.contains(document.activeElement);
    const neighbour = row.item.nextElementSibling ?? row.item.previousElementSibling;
    row.item.remove();
    this.rows.delete(id);
    if (hadFocus) (neighbour?.querySelector<HTMLElement>('button') ?? this.list.closest<HTMLElement>('[tabindex]'))?.focus();
  }

  private update(row: Row, entry: StoredEntry, isArrival: boolean): void {
    row.entry = entry;
    const face = faceOf(entry);
    if (face === row.face) return;
    row.face = face;
    if (row.isEditing) warn(row);
    else this.fill(row);
    row.drawer?.refresh();
    if (!isArrival) return;
    row.item.classList.remove('arrived');
    void row.item.offsetWidth; // Starts the animation again.
    row.item.classList.add('arrived');
  }

  private fill(row: Row): void {
    const { title, minutes, notes } = draftOf(row.entry);
    const writer = writerOf(row.entry);
    const focused = [...row.item.querySelectorAll('button')].indexOf(document.activeElement as HTMLButtonElement);
    row.isEditing = false;
    row.item.replaceChildren(
      make('div', { class: 'entry-head' },
        make('h4', {}, title),
        make('span', { class: 'waits' }, 'waiting'),
        make('span', { class: 'minutes' }, `${minutes} min`)),
      ...(notes ? [make('p', { class: 'notes' }, notes.length > 600 ? `${notes.slice(0, 600)} …` : notes)] : []),
      make('div', { class: 'entry-foot' },
        make('span', { class: 'writer', 'data-writer': writer }, writer ? `on the ${writer.toLowerCase()}` : ''),
        button('Edit', 'quiet small', () => this.edit(row), title),
        this.historyButton(row, title),
        button('Delete', 'quiet small', () => void this.actions.remove(row.entry), title)),
      ...(row.drawer ? [row.drawer.element] : []));
    row.item.querySelectorAll('button')[focused]?.focus();
  }

  private historyButton(row: Row, title: string): HTMLButtonElement {
    const made = button('History', 'quiet small', () => {
      row.drawer = row.drawer ? undefined : new HistoryDrawer(row.entry.id, title, this.actions);
      this.fill(row);
    }, title);
    made.setAttribute('aria-expanded', String(row.drawer !== undefined));
    return made;
  }

  private edit(row: Row): void {
    // Saving edits the version that was opened. If another version arrived meanwhile, the server merges the two.
    const opened = row.entry;
    row.isEditing = true;
    const { fields, read, first } = entryFields(draftOf(opened));
    const form = make('form', { class: 'edit', 'aria-label': `Edit ${draftOf(opened).title}` }, fields,
      make('p', { class: 'meanwhile', role: 'status' }),
      make(
        'div', { class: 'row' }, make('button', { class: 'primary small' }, 'Save'),
        button('Cancel', 'quiet small', () => this.leave(row))));
    form.addEventListener('submit', event => {
      event.preventDefault();
      void this.actions.save(opened, read());
      this.leave(row);
    });
    form.addEventListener('keydown', event => event.key === 'Escape' && this.leave(row));
    submitsByKey(form);
    row.item.replaceChildren(form);
    first.focus();
  }

  private leave(row: Row): void {
    this.fill(row);
    this.focus(row.entry.id);
  }
}

/** Keeps the form while somebody types, and reports the change under it. */
function warn(row: Row): void {
  const { title, minutes, notes } = draftOf(row.entry);
  const meanwhile = row.item.querySelector<HTMLElement>('.meanwhile');
  if (meanwhile) say(
    meanwhile,
    `It has just changed elsewhere: “${title}”, ${minutes} min. ${notes} – if you save, only what you have changed is written over it.`);
}
