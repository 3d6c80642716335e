import { history, type Version } from '../src/history.js';
import type { Sync } from '../src/index.js';
import { button, make } from './dom.js';
import { draftOf, writerOf } from './journal.js';

const SHOWN = 20;

export interface HistoryActions {
  device(): Sync;
  act(work: () => Promise<void>, done: string): void;
}

/** Shows the earlier versions of an entry, newest first, each with a button that restores it. */
export class HistoryDrawer {
  readonly element = make('div', { class: 'history', role: 'region', 'aria-live': 'polite' });
  private asked = 0;

  constructor(private readonly id: string, private readonly title: string, private readonly actions: HistoryActions) {
    this.element.setAttribute('aria-label', `History of ${title}`);
    this.refresh();
  }

  /** Asks the server again. An answer that another question has overtaken is ignored. */
  refresh(): void {
    const asked = ++this.asked;
    void this.read().then(children => asked === this.asked && this.element.replaceChildren(...children));
  }

  private async read(): Promise<HTMLElement[]> {
    const items: HTMLElement[] = [];
    try {
      for await (const version of history(this.actions.device(), 'logbook_entry', this.id)) {
        items.push(this.item(version));
        if (items.length === SHOWN) break;
      }
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      return [make('p', { class: 'empty' }, code === 'NOT_FOUND' ? 'The server does not have this entry yet.' : message)];
    }
    return [make('ol', {}, ...items)];
  }

  private item(version: Version): HTMLLIElement {
    const { document, current, arrivedAt } = version;
    const draft = document && draftOf(document);
    const writer = document ? writerOf(document).toLowerCase() : '';
    const restore = () => this.actions.act(() => version.restore(), `“${draft!.title}” is as it was.`);
    return make('li', {},
      make('p', { class: 'when' },
        make('time', { datetime: arrivedAt }, new Date(arrivedAt).toLocaleTimeString('en')), writer && ` on the ${writer}`),
      make('p', {}, draft ? `${draft.title}, ${draft.minutes} min` : 'Deleted'),
      ...(draft?.notes ? [make('p', { class: 'earlier-notes' }, draft.notes)] : []),
      current ? make('p', { class: 'when' }, 'Stored now') : draft ? button('Restore', 'quiet small', restore, this.title) : '');
  }
}
