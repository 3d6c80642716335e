import { make } from './dom.js';
import type { Draft } from './journal.js';

let made = 0;

/** Fields of an entry, the same for a new one and for an edit. */
export function entryFields(draft: Draft): { fields: HTMLElement; read: () => Draft; clear: () => void; first: HTMLInputElement } {
  const n = ++made;
  const title = make(
    'input', { id: `title-${n}`, name: 'title', required: '', maxlength: '120', value: draft.title, enterkeyhint: 'done' });
  const minutes = make(
    'input',
    {
      id: `minutes-${n}`, name: 'minutes', type: 'number', min: '0', max: '1440', inputmode: 'numeric', required: '',
      value: String(draft.minutes)
    });
  const notes = make('textarea', { id: `notes-${n}`, name: 'notes', rows: '1' });
  notes.value = draft.notes;
  const fields = make('div', { class: 'fields' },
    field('Piece', title, 'grow'), field('Minutes', minutes, 'narrow'), field('Notes', notes, 'wide'));
  return {
    fields,
    first: title,
    read: () =>
      (
        {
          title: title.value.trim() || 'Untitled', minutes: Math.max(0, Math.round(Number(minutes.value) || 0)), notes: notes.value.trim()
        }),
    clear: () => {
      title.value = notes.value = '';
      minutes.value = String(draft.minutes);
    },
  };
}

const field = (label: string, control: HTMLElement, kind: string) =>
  make('div', { class: `field ${kind}` }, make('label', { for: control.id }, label), control);

/** Enter in the notes starts a new line; Ctrl+Enter or ⌘+Enter submits the form. */
export function submitsByKey(form: HTMLFormElement): void {
  form.addEventListener('keydown', event => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
}
