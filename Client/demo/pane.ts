import { openSync, type Conflict, type QueuedEdit, type Sync, type SyncStatus } from '../src/index.js';
import { merging } from '../src/merging.js';
import { showConflicts } from './conflictList.js';
import { bringBack, DeletedList } from './deletedList.js';
import { calmly, copyOf, partsOf, say } from './dom.js';
import { entryFields, submitsByKey } from './entryForm.js';
import { EntryList } from './entryList.js';
import { FrameLog } from './frameLog.js';
import { entryOf, faceOf, fieldsOf, inOrder, titleOf, type Draft, type Entry, type StoredEntry } from './journal.js';
import { showQueue } from './queueList.js';
import { tokenFor } from './user.js';

const STATES: Readonly<Record<SyncStatus['connection'], string>> = {
  following: 'Following', offline: 'Offline', connecting: 'Connecting', catchingUp: 'Catching up', live: 'Live', waiting: 'Trying again',
  polling: 'Polling', signedOut: 'Signed out', refused: 'Turned away', closed: 'Closed',
};

/** When this page wrote each entry, by id and content, so that the other pane can show how long it took to arrive. */
const written = new Map<string, number>();

/** One device and its part of the page. */
export class Pane {
  private static readonly all: Pane[] = [];
  readonly element = copyOf('pane');
  private readonly part = partsOf(this.element);
  private readonly list: EntryList;
  private readonly deleted: DeletedList;
  private readonly frames = new FrameLog(this.part('frames'));
  private readonly scheduleRedraw = calmly(() => this.redraw());
  private sync!: Sync;
  private entries: StoredEntry[] = [];
  /** By id, also of what is deleted meanwhile. */
  private readonly titles = new Map<string, string>();
  private faces: Map<string, string> | undefined;
  private readonly arrived = new Set<string>();
  private readonly own = new Map<string, string | null>();
  /** What is stored instead of this device's edits, by id, so that its arrival is not announced again. */
  private readonly winners = new Map<string, string>();
  private edits: QueuedEdit[] = [];
  private conflicts: Conflict[] = [];
  private isBehind = true;
  private liveSince = Infinity;
  private asked: ReturnType<typeof setTimeout> | undefined;

  private constructor(private readonly name: string, private readonly label: string, user: string) {
    this.element.id = name;
    this.element.setAttribute('aria-labelledby', `${name}-title`);
    const heading = this.element.querySelector('h2')!;
    heading.id = `${name}-title`;
    heading.tabIndex = -1;
    heading.textContent = label;
    this.part('entries-scroll').setAttribute('aria-label', `Journal on the ${label.toLowerCase()}`);
    this.part('frames').setAttribute('aria-label', `Messages of the ${label.toLowerCase()}`);
    this.part<HTMLDetailsElement>('wire').open = matchMedia('(min-width: 46rem)').matches;
    this.list = new EntryList(this.part('entries'), this.part('more'), {
      save: (entry, draft) => this.save(draft, entry),
      remove: entry => this.remove(entry),
      device: () => this.sync,
      act: (work, done) => this.act(work, done),
    });
    this.deleted = new DeletedList(this.part('deleted'), `mirubato-demo:${name}:${user}:deleted`);
    this.compose();
  }

  static async open(name: string, label: string, user: string): Promise<Pane> {
    const pane = new Pane(name, label, user);
    pane.sync = await openSync(
      { url: location.origin, token: () => tokenFor(user), user, name, offline: pane.isSwitchedOff, merging });
    pane.listen();
    Pane.all.push(pane);
    return pane;
  }

  get device(): Sync {
    return this.sync;
  }

  async save(draft: Draft, before?: StoredEntry): Promise<void> {
    // The id is made here, so that the pane recognizes its own entry.
    const id = before?.id ?? crypto.getRandomValues(new Uint32Array(4)).join('-');
    const entry = { ...entryOf(draft, this.label, before), id };
    this.own.set(id, faceOf(entry));
    this.remember(id, entry);
    await this.guarded(() => this.journal.put(entry));
  }

  private async remove(entry: StoredEntry): Promise<void> {
    this.own.set(entry.id, null);
    this.remember(entry.id, undefined);
    await this.guarded(() => this.journal.delete(entry));
  }

  private remember(id: string, entry: object | undefined): void {
    if (this.sync.status.connection === 'live') written.set(keyOf(id, entry), performance.now());
    if (written.size > 500) written.delete(written.keys().next().value!);
  }

  private get journal() {
    return this.sync.collection<Entry>('logbook_entry');
  }

  /** The page's own switch. All tabs of the device share it, and it survives a reload; the browser's network state is separate. */
  private get isSwitchedOff(): boolean {
    return localStorage.getItem(this.switchKey) === 'on';
  }

  private get switchKey(): string {
    return `mirubato-demo:${this.name}:offline`;
  }

  private compose(): void {
    const form = this.part<HTMLFormElement>('compose');
    form.setAttribute('aria-label', `New entry on the ${this.label.toLowerCase()}`);
    const { fields, read, clear, first } = entryFields({ title: '', minutes: 20, notes: '' });
    const add = document.createElement('button');
    add.className = 'primary';
    add.textContent = 'Add entry';
    form.append(fields, add);
    submitsByKey(form);
    form.addEventListener('submit', event => {
      event.preventDefault();
      void this.save(read());
      clear();
      first.focus();
    });
  }

  private listen(): void {
    const { sync } = this;
    const toggle = this.part('switch');
    toggle.addEventListener('click', () => {
      const turnsOff = !this.isSwitchedOff;
      localStorage.setItem(this.switchKey, turnsOff ? 'on' : 'off');
      if (turnsOff) sync.goOffline();
      else sync.goOnline();
    });
    sync.on('status', status => this.showStatus(status));
    sync.on('frame', frame => this.frames.add(frame));
    sync.on('merged', ({ id, mine, stored }) => {
      this.winners.set(id, faceOf(stored));
      if (faceOf(mine) !== faceOf(stored)) this.tell(`“${titleOf(stored)}” was changed elsewhere too, and both edits are kept.`);
    });
    sync.on('conflict', ({ id, mine, theirs, members }) => {
      this.winners.set(id, theirs ? faceOf(theirs) : 'deleted');
      const what = members ? `the ${fieldsOf(members)} of this edit` : 'this edit';
      this.tell(`“${titleOf(mine ?? theirs)}” was changed elsewhere too; ${what} is under Conflicts.`);
      // The list is the user's: each of their devices shows it.
      for (const pane of Pane.all) pane.askConflicts();
    });
    sync.on('poisoned', edit => this.tell(`“${titleOf(edit.doc)}” was not taken by the server.`));
    sync.on('healed', () => this.tell('This device differed from the server and was mended.'));
    for (const event of ['quota', 'refused', 'signedOut'] as const) sync.on(event, ({ message }) => say(this.part('alert'), message));
    this.journal.subscribe(entries => this.take(entries as StoredEntry[]));
    this.showStatus(sync.status);
  }

  private showStatus(status: SyncStatus): void {
    this.element.dataset.connection = status.connection;
    this.element.dataset.leader = String(status.leader);
    this.element.dataset.revision = String(status.revision);
    say(this.part('state'), STATES[status.connection]);
    say(this.part('revision'), status.revision.toLocaleString('en'));
    say(this.part('pending'), (status.pending + status.poisoned).toLocaleString('en'));
    say(this.part('role'), status.leader ? 'leads' : 'follows');
    this.part('switch').setAttribute('aria-checked', String(this.isSwitchedOff));
    if (status.connection !== 'live') {
      this.isBehind = true;
      this.liveSince = Infinity;
    } else if (this.isBehind && !status.pending) {
      this.isBehind = false;
      this.liveSince = performance.now();
      this.askConflicts();
    }
    this.scheduleRedraw();
  }

  /** Announces changes of other devices, but not this pane's own. */
  private take(entries: StoredEntry[]): void {
    const faces = new Map(entries.map(entry => [entry.id, faceOf(entry)]));
    const before = this.faces;
    this.faces = faces;
    const gone = [...before?.keys() ?? []].filter(id => !faces.has(id));
    this.deleted.note(gone.map(id => ({ id, title: this.titles.get(id) ?? titleOf(null) })), faces);
    for (const entry of entries) this.titles.set(entry.id, titleOf(entry));
    this.entries = inOrder(entries);
    this.scheduleRedraw();
    if (!before) return;
    const changed = entries.filter(entry => before.get(entry.id) !== faces.get(entry.id) && this.own.get(entry.id) !== faces.get(entry.id));
    const removed = gone.filter(id => this.own.get(id) !== null);
    for (const entry of changed.slice(0, 20)) this.arrived.add(entry.id);
    if (changed.length + removed.length) this.announce(changed, removed);
    if (removed.length || changed.some(entry => before.has(entry.id))) this.askConflicts();
  }

  private announce(changes: readonly StoredEntry[], removals: readonly string[]): void {
    const changed = changes.filter(entry => this.winners.get(entry.id) !== faceOf(entry));
    const removed = removals.filter(id => this.winners.get(id) !== 'deleted');
    const [first] = changed;
    if (!first && !removed.length) return;
    if (changed.length + removed.length > 1) return this.tell(`${(changed.length + removed.length).toLocaleString('en')} changes arrived.`);
    const since = written.get(first ? keyOf(first.id, first) : keyOf(removed[0]!, undefined)) ?? 0;
    // A change took this long only if both devices were live; otherwise the time includes an absence.
    const took = since > this.liveSince ? ` in ${Math.max(1, Math.round(performance.now() - since))} ms` : '';
    this.tell(first ? `“${titleOf(first)}” arrived${took}.` : `A deletion arrived${took}.`);
  }

  private tell(text: string): void {
    say(this.part('news'), text);
  }

  private async redraw(): Promise<void> {
    const { status } = this.sync;
    if (status.connection !== 'closed') this.edits = await this.sync.queue().catch(() => this.edits);
    const waiting = new Set(this.edits.map(edit => edit.id));
    this.list.show(this.entries, waiting, this.arrived);
    this.arrived.clear();
    showQueue(this.part('queue'), this.edits, this.sync, id => this.titles.get(id) ?? titleOf(null));
    this.deleted.show(({ id, title }) => this.act(() => bringBack(this.sync, id), `“${title}” is back.`));
    this.showConflicts();
    this.count('entry-count', 'no-entries', this.entries.length);
    this.count('queue-count', 'no-queue', this.edits.length);
    this.count('conflict-count', 'no-conflicts', this.conflicts.length);
  }

  private count(counter: string, empty: string, n: number): void {
    say(this.part(counter), n ? n.toLocaleString('en') : '');
    this.part(empty).hidden = n > 0;
  }

  private showConflicts(): void {
    showConflicts(this.part('conflicts'), this.conflicts, {
      current: id => this.entries.find(entry => entry.id === id),
      act: (work, done) => this.act(work, done),
    });
  }

  /** Does what a button asks for, and tells that it is done. */
  private act(work: () => Promise<void>, done: string): void {
    void this.guarded(async () => {
      await work();
      this.tell(done);
      for (const pane of Pane.all) pane.askConflicts();
    });
  }

  /** Fetches the conflicts from the server, once for a burst of edits. */
  private askConflicts(): void {
    clearTimeout(this.asked);
    this.asked = setTimeout(() => void this.readConflicts(), 150);
  }

  private async readConflicts(): Promise<void> {
    if (this.sync.status.connection !== 'live' && this.sync.status.connection !== 'polling') return;
    const conflicts = await this.sync.conflicts().catch(() => undefined);
    if (!conflicts) return;
    this.conflicts = conflicts.filter(conflict => conflict.type === 'logbook_entry');
    this.scheduleRedraw();
  }

  private async guarded(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
      say(this.part('alert'), '');
    } catch (error) {
      say(this.part('alert'), (error as Error).message);
    }
  }
}

const keyOf = (id: string, entry: object | undefined) => `${id} ${entry ? faceOf(entry) : 'deleted'}`;
