import type { Frame } from '../src/index.js';
import { calmly, make } from './dom.js';

const KEPT = 60;
const SHOWN_CHARACTERS = 4_000;

/** The latest messages to and from the server, newest first. A message is rendered when somebody opens it. */
export class FrameLog {
  private readonly waiting: Frame[] = [];
  private readonly draw = calmly(() => this.flush());

  constructor(private readonly list: HTMLElement) {}

  add(frame: Frame): void {
    this.waiting.push(frame);
    if (this.waiting.length > KEPT) this.waiting.shift();
    this.draw();
  }

  private flush(): void {
    for (const frame of this.waiting.splice(0)) this.list.prepend(item(frame));
    while (this.list.children.length > KEPT) this.list.lastElementChild!.remove();
  }
}

function item(frame: Frame): HTMLLIElement {
  const isOut = frame.direction === 'out';
  const head = [
    make('time', {}, new Date(frame.at).toISOString().slice(11, 23)),
    make(
      'span', { class: `arrow ${frame.direction}`, title: isOut ? 'sent' : 'received' }, isOut ? '↑' : '↓',
      make('span', { class: 'unseen' }, isOut ? ' sent ' : ' received ')),
    make('span', { class: 'label' }, frame.label),
  ];
  if (frame.data === undefined) return make('li', { class: 'frame' }, make('span', { class: 'frame-head' }, ...head));
  const details = make('details', {}, make('summary', { class: 'frame-head' }, ...head));
  details.addEventListener(
    'toggle', () => details.querySelector('pre') ?? details.append(make('pre', {}, textOf(frame.data))), { once: true });
  return make('li', { class: 'frame' }, details);
}

function textOf(data: unknown): string {
  const value = typeof data === 'string' ? parsed(data) : data;
  // Secrets are hidden, although a ticket is used up by the time it is shown.
  const text = JSON.stringify(value, (name, member) => (name === 'ticket' || name === 'token' ? '…' : member), 2) ?? '';
  return text.length > SHOWN_CHARACTERS
    ? `${text.slice(0, SHOWN_CHARACTERS)}\n… and ${(text.length - SHOWN_CHARACTERS).toLocaleString('en')} more characters`
    : text;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
