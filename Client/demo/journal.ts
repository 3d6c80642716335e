import type { Stored } from '../src/index.js';

/** An entry as the existing practice apps store it. */
export interface Entry {
  timestamp: string;
  duration: number;
  type: 'practice';
  instrument: string;
  pieces: { title: string; id?: string }[];
  notes: string;
  /** Which device wrote it last, for people to see. */
  writtenOn: string;
}

export type StoredEntry = Entry & Stored;

export interface Draft {
  title: string;
  minutes: number;
  notes: string;
}

// Another app's entry, or one typed into the console, may lack any member.
type Loose = { [member in keyof Entry]?: unknown };

export const draftOf = (entry: Loose): Draft => ({
  title: String((entry.pieces as Entry['pieces'] | undefined)?.[0]?.title ?? 'Untitled'),
  minutes: Number(entry.duration) || 0,
  notes: String(entry.notes ?? ''),
});

export const titleOf = (entry: Loose | null | undefined): string => (entry ? draftOf(entry).title : 'an entry');

export const writerOf = (entry: Loose): string => String(entry.writtenOn ?? '');

const FIELDS: Readonly<Record<string, string>> = { pieces: 'piece', duration: 'minutes', notes: 'notes', writtenOn: 'device' };

/** Names the members of a conflict as the page does. */
export const fieldsOf = (members: readonly string[]): string =>
  members.map(pointer => FIELDS[pointer.slice(1)] ?? pointer.slice(1)).join(' and ');

/** The visible content of an entry, to tell whether it has changed. */
export const faceOf = (entry: Loose): string => JSON.stringify([draftOf(entry), writerOf(entry)]);

export function entryOf(draft: Draft, writtenOn: string, before?: Entry): Entry {
  const first = before?.pieces?.[0];
  return {
    timestamp: new Date().toISOString(), type: 'practice', instrument: 'piano', ...before,
    duration: draft.minutes, notes: draft.notes, writtenOn,
    pieces: [first?.title === draft.title ? first : { title: draft.title }, ...(before?.pieces ?? []).slice(1)],
  };
}

/** Newest first, and in the same order on every device. */
export const inOrder = (entries: readonly StoredEntry[]): StoredEntry[] =>
  [...entries].sort((a, b) => compare(String(b.timestamp ?? ''), String(a.timestamp ?? '')) || compare(a.id, b.id));

// By code unit: ISO times are in order so, and localeCompare takes a hundred times as long.
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const samples: readonly Draft[] = [
  { title: 'Clair de lune', minutes: 25, notes: 'Bars 27 to 36, hands separately. Let the left hand breathe.' },
  { title: 'Invention No. 8 in F', minutes: 15, notes: 'Steady at 72. Both voices sing now.' },
  { title: 'Gymnopédie No. 1', minutes: 10, notes: 'Softer in the second half; no rush into the last chord.' },
  { title: 'Scales: E major, B major', minutes: 12, notes: 'Four octaves, thumb relaxed.' },
  { title: 'Nocturne Op. 9 No. 2', minutes: 30, notes: 'Rubato in the right hand only.' },
];

let next = 0;
export const sample = (): Draft => samples[next++ % samples.length]!;
