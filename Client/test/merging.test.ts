import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { ConflictReport, Doc, MergeReport, Stored } from '../src/index.js';
import { merging } from '../src/merging.js';
import { mergeMembers } from '../src/pure/threeWayMerge.js';
import { FakeTabs, FakeWorld, rest, soon, type Reply, type Request } from './support/fakeWorld.js';
import { live, opened } from './support/openDevice.js';
import { pulled } from './support/wire.js';
import vectors from './vectors/merge.json';

type Note = { a?: number; b?: number; c?: number };

const at = (second: number) => new Date(1_900_000_000_000 + second * 1_000).toISOString();
const stored = (version: number, members: Note, more = {}) => ({ id: 'n', ...members, version, updatedAt: at(version), ...more });

/** A merged item, with the document that is stored instead. */
const merged = (document: Stored & Note, more = {}): Reply => answered('merged', document.version!, { document, ...more });
const answered = (status: string, version: number, more = {}, conflicts: object[] = []): Reply => ({
  body: {
    results: [{ entityType: 'note', entityId: 'n', status, seq: version, version, updatedAt: at(version), ...more }], conflicts,
    newSyncToken: `e.${version}`, lastSeq: 0,
  },
});

/** A live device that has the note at version 1. The answers are given to its batches in turn, each when `answer` is called. */
async function device(options = {}) {
  const world = new FakeWorld();
  const waiting: ((reply: Reply) => void)[] = [];
  world.answer = request => (isBatch(request) ? new Promise<Reply>(resolve => waiting.push(resolve)) : undefined);
  const sync = await live(world, { merging, ...options });
  await says(world, stored(1, { a: 1, b: 1, c: 1 }));
  const notes = sync.collection<Note>('note');
  const answer = async (reply: Reply) => {
    await soon(() => expect(waiting).not.toHaveLength(0));
    waiting.shift()!(reply);
    await rest();
  };
  await soon(async () => expect(await notes.get('n')).toMatchObject({ version: 1 }));
  const seen: Note[] = [];
  notes.subscribe(([note]) => seen.push({ a: note?.a, b: note?.b, c: note?.c } as Note));
  return { world, sync, notes, answer, seen, read: async () => (await notes.get('n'))! };
}

const isBatch = (request: Request) => request.path === '/api/sync/batch';
const says = (world: FakeWorld, entity: Stored & Note) =>
  world.socket.says({ type: 'ENTITY_UPDATED', entityType: 'note', entityId: 'n', entity, seq: entity.version, after: entity.version! - 1 });
const sent = (world: FakeWorld, n: number) => {
  const { data, baseVersion } = world.batches[n]!.entities[0]!;
  return { ...pick(data as Note), baseVersion };
};
const pick = ({ a, b, c }: Note) => ({ a, b, c });

describe('the merge rules of the client', () => {
  test.each(vectors)('give the server\'s result: $name', ({ type, base, stored: current, sent: incoming, merged: result }) => {
    expect(mergeMembers(type, base as Doc, current as Doc, incoming as Doc)).toEqual(result);
  });

  test('are tested with the same vectors as the server', () => {
    const [ours, theirs] = ['test/vectors/merge.json', '../Tests/Vectors/merge.json'].map(file => readFileSync(file, 'utf8'));
    expect(ours).toBe(theirs);
  });
});

describe('an app that merges', () => {
  test('sends the header X-Sync-Merge with each batch, and other apps do not', async () => {
    for (const options of [{ merging }, {}]) {
      const world = new FakeWorld();
      const sync = await opened(world, options);
      await sync.collection('note').put({ id: 'n' });
      await sync.flush();
      expect(world.to('/api/sync/batch')[0]!.headers['x-sync-merge']).toBe('merging' in options ? '1' : undefined);
    }
  });

  test('shows the merged document, gets the event `merged`, and bases its next edit on the merged version', async () => {
    const { world, sync, notes, answer, seen, read } = await device();
    const reports: MergeReport[] = [];
    sync.on('merged', report => reports.push(report));
    await notes.put({ ...(await read()), a: 2 });
    await answer(merged(stored(3, { a: 2, b: 9, c: 1 })));
    expect(await read()).toEqual(stored(3, { a: 2, b: 9, c: 1 }));
    expect(reports).toMatchObject([{ type: 'note', id: 'n', mine: { a: 2, b: 1 }, stored: { a: 2, b: 9 } }]);
    await notes.put({ ...(await read()), c: 3 });
    await soon(() => expect(sent(world, 1)).toEqual({ a: 2, b: 9, c: 3, baseVersion: 3 }));
    expect(seen).toEqual([{ a: 1, b: 1, c: 1 }, { a: 2, b: 1, c: 1 }, { a: 2, b: 9, c: 1 }, { a: 2, b: 9, c: 3 }]);
  });

  test('rebases an edit made before the answer arrived, and never shows the document without it', async () => {
    const { world, notes, answer, seen, read } = await device();
    await notes.put({ ...(await read()), a: 2 });
    await soon(() => expect(world.batches).toHaveLength(1));
    await notes.put({ ...(await read()), c: 3 });
    await rest();
    await answer(merged(stored(3, { a: 2, b: 9, c: 1 })));
    await soon(() => expect(sent(world, 1)).toEqual({ a: 2, b: 9, c: 3, baseVersion: 3 }));
    expect(await read()).toMatchObject({ a: 2, b: 9, c: 3, version: 3 });
    expect(seen).toEqual([{ a: 1, b: 1, c: 1 }, { a: 2, b: 1, c: 1 }, { a: 2, b: 1, c: 3 }, { a: 2, b: 9, c: 3 }]);
  });

  test('rebases an edit that undoes the edit before it', async () => {
    const { world, notes, answer, read } = await device();
    await notes.put({ ...(await read()), a: 2 });
    await soon(() => expect(world.batches).toHaveLength(1));
    await notes.put({ ...(await read()), a: 1 });
    await answer(merged(stored(3, { a: 2, b: 9, c: 1 })));
    await soon(() => expect(sent(world, 1)).toEqual({ a: 1, b: 9, c: 1, baseVersion: 3 }));
  });

  test.each(['updated', 'merged'] as const)('rebases an edit of a copy that is older than the answer: %s', async status => {
    const { world, notes, answer, read } = await device();
    const form = await notes.put({ ...(await read()), a: 2 });
    const b = status === 'merged' ? 9 : 1;
    await answer(status === 'merged' ? merged(stored(3, { a: 2, b, c: 1 })) : answered(status, 3));
    // The server would not take `a: 1` for a change: it is what version 1 had.
    await notes.put({ ...form, a: 1, c: 3 });
    await soon(() => expect(sent(world, 1)).toEqual({ a: 1, b, c: 3, baseVersion: 3 }));
  });

  test('rebases an edit of a copy that was itself rebased', async () => {
    const { world, notes, answer, read } = await device();
    await notes.put({ ...(await read()), a: 2 });
    await soon(() => expect(world.batches).toHaveLength(1));
    const form = await notes.put({ ...(await read()), a: 5 });
    await answer(merged(stored(3, { a: 2, b: 9, c: 1 })));
    await soon(() => expect(sent(world, 1)).toEqual({ a: 5, b: 9, c: 1, baseVersion: 3 }));
    await notes.put({ ...form, a: 1 });
    expect(pick(await read())).toEqual({ a: 1, b: 9, c: 1 });
    await answer(merged(stored(5, { a: 5, b: 9, c: 7 })));
    await soon(() => expect(sent(world, 2)).toEqual({ a: 1, b: 9, c: 7, baseVersion: 5 }));
    await notes.put({ ...form, b: 8 });
    expect(pick(await read())).toEqual({ a: 1, b: 8, c: 7 });
  });

  test('keeps both edits of one copy, as from two open forms', async () => {
    const { world, notes, answer, read } = await device({ offline: false });
    const copy = await read();
    await notes.put({ ...copy, a: 2 });
    await soon(() => expect(world.batches).toHaveLength(1));
    await notes.put({ ...copy, b: 2 });
    await notes.put({ ...copy, c: 2 });
    expect(pick(await read())).toEqual({ a: 2, b: 2, c: 2 });
    await answer(answered('updated', 2));
    await soon(() => expect(sent(world, 1)).toEqual({ a: 2, b: 2, c: 2, baseVersion: 2 }));
  });

  test('handles the merged document, and a later one, that the socket delivers before the answer', async () => {
    const { world, notes, answer, seen, read } = await device();
    await notes.put({ ...(await read()), a: 2 });
    await soon(() => expect(world.batches).toHaveLength(1));
    await notes.put({ ...(await read()), c: 3 });
    await rest();
    await says(world, stored(2, { a: 1, b: 9, c: 1 }));
    await says(world, stored(3, { a: 2, b: 9, c: 1 }));
    await says(world, stored(4, { a: 2, b: 10, c: 1 }));
    await answer(merged(stored(3, { a: 2, b: 9, c: 1 })));
    // It is made on the merged document and names it: the server merges it with what came after.
    await soon(() => expect(sent(world, 1)).toEqual({ a: 2, b: 9, c: 3, baseVersion: 3 }));
    await answer(merged(stored(5, { a: 2, b: 10, c: 3 })));
    expect(await read()).toEqual(stored(5, { a: 2, b: 10, c: 3 }));
    const steps = seen.map(note => JSON.stringify(note)).filter((note, i, all) => note !== all[i - 1]);
    expect(steps.map(step => Object.values(JSON.parse(step)))).toEqual([[1, 1, 1], [2, 1, 1], [2, 1, 3], [2, 9, 3], [2, 10, 3]]);
  });

  test('applies a repeated answer once', async () => {
    const { world, sync, notes, answer, read } = await device();
    await notes.put({ ...(await read()), a: 2 });
    await soon(() => expect(world.batches).toHaveLength(1));
    await notes.put({ ...(await read()), c: 3 });
    await answer('lost');
    await world.pass(60_000);
    const reply = merged(stored(3, { a: 2, b: 9, c: 1 }));
    await answer(reply);
    expect(world.batches[1]!.key).toBe(world.batches[0]!.key);
    await soon(() => expect(sent(world, 2)).toEqual({ a: 2, b: 9, c: 3, baseVersion: 3 }));
    // A batch that another tab has settled is skipped.
    const { store } = sync as unknown as { store: { settle(...given: unknown[]): Promise<{ keys: unknown[] }> } };
    const { key, text } = world.batches[0]!;
    expect((await store.settle({ key, body: text, items: [1] }, (reply as { body: unknown }).body, 0)).keys).toEqual([]);
    expect(pick(await read())).toEqual({ a: 2, b: 9, c: 3 });
  });

  test('rebases queued edits after a restart', async () => {
    const name = `restart${Math.random()}`;
    const before = await device({ name });
    await before.notes.put({ ...(await before.read()), a: 2 });
    await soon(() => expect(before.world.batches).toHaveLength(1));
    const form = await before.notes.put({ ...(await before.read()), c: 3 });
    await before.sync.close();
    const world = new FakeWorld();
    const replies = [merged(stored(3, { a: 2, b: 9, c: 1 }))];
    world.answer = request => (isBatch(request) ? replies.shift() : undefined);
    const again = await opened(world, { merging, name });
    await soon(() => expect(world.batches).toHaveLength(2));
    expect(world.batches[0]!.key).toBe(before.world.batches[0]!.key);
    expect(sent(world, 1)).toEqual({ a: 2, b: 9, c: 3, baseVersion: 3 });
    await again.flush();
    await again.collection<Note>('note').put({ ...form, c: 1 });
    expect(pick((await again.collection<Note>('note').get('n'))!)).toEqual({ a: 2, b: 9, c: 1 });
  });

  test('rebases in the leader tab an edit of a follower tab', async () => {
    const [shared, name] = [new FakeTabs(), `tabs${Math.random()}`];
    const [one, two] = [new FakeWorld(shared), new FakeWorld(shared)];
    let answer = (_: Reply) => {};
    one.answer = request =>
      (isBatch(request) ? new Promise<Reply>(resolve => (answer = resolve)) : undefined);
    const leader = await live(one, { merging, name });
    const follower = await opened(two, { merging, name });
    await says(one, stored(1, { a: 1, b: 1, c: 1 }));
    const [here, there] = [leader.collection<Note>('note'), follower.collection<Note>('note')];
    const seen: Note[] = [];
    there.subscribe(([note]) => note && seen.push(pick(note)));
    await here.put({ ...(await here.get('n'))!, a: 2 });
    await soon(() => expect(one.batches).toHaveLength(1));
    const form = await there.put({ ...(await there.get('n'))!, c: 3 });
    await rest();
    answer(merged(stored(3, { a: 2, b: 9, c: 1 })));
    await soon(() => expect(sent(one, 1)).toEqual({ a: 2, b: 9, c: 3, baseVersion: 3 }));
    await soon(() => expect(seen.at(-1)).toEqual({ a: 2, b: 9, c: 3 }));
    expect(seen.findIndex(note => note.b === 9)).toBe(seen.length - 1);
    await there.put({ ...form, c: 1 });
    answer(answered('updated', 4));
    await soon(() => expect(sent(one, 2)).toEqual({ a: 2, b: 9, c: 1, baseVersion: 4 }));
    expect(two.batches).toEqual([]);
  });

  test('reports the members that lost, and does not send their values again with a later edit', async () => {
    const { world, sync, notes, answer, read } = await device();
    const conflicts: ConflictReport[] = [];
    sync.on('conflict', conflict => conflicts.push(conflict));
    await notes.put({ ...(await read()), a: 2, b: 2 });
    await soon(() => expect(world.batches).toHaveLength(1));
    await notes.put({ ...(await read()), c: 3 });
    await answer(merged(stored(3, { a: 7, b: 2, c: 1 }), { members: ['/a'] }));
    await soon(() => expect(sent(world, 1)).toEqual({ a: 7, b: 2, c: 3, baseVersion: 3 }));
    await notes.put({ ...(await read()), b: 4 });
    const server = stored(5, { a: 7, b: 2, c: 8 });
    await answer(
      answered('conflict', 5, { members: ['/c'] }, [{ entityType: 'note', entityId: 'n', reason: 'stale', message: 'later', server }]));
    await soon(() => expect(sent(world, 2)).toEqual({ a: 7, b: 4, c: 8, baseVersion: 5 }));
    expect(conflicts).toMatchObject([
      { id: 'n', reason: 'stale', members: ['/a'], mine: { a: 2 }, theirs: { a: 7 } },
      { id: 'n', reason: 'stale', members: ['/c'], mine: { c: 3 }, theirs: { c: 8 } },
    ]);
  });

  test('does not send an edit again if only some members lost, although its time is later than the winner\'s', async () => {
    const { world, notes, answer, read } = await device();
    world.now = Date.parse(at(100));
    await notes.put({ ...(await read()), a: 2 });
    const server = stored(3, { a: 7, b: 9, c: 1 });
    await answer(
      answered('conflict', 3, { members: ['/a'] }, [{ entityType: 'note', entityId: 'n', reason: 'stale', message: '', server }]));
    expect(await read()).toEqual(server);
    expect(world.batches).toHaveLength(1);
  });

  test('keeps its base version and pulls if the answer had no room for the merged document', async () => {
    const { world, notes, answer, seen, read } = await device();
    await notes.put({ ...(await read()), a: 2 });
    await soon(() => expect(world.batches).toHaveLength(1));
    await notes.put({ ...(await read()), c: 3 });
    const pulls = world.to('/api/sync/pull').length;
    await answer(answered('merged', 3));
    await soon(() => expect(sent(world, 1)).toEqual({ a: 2, b: 1, c: 3, baseVersion: 1 }));
    await soon(() => expect(world.to('/api/sync/pull').length).toBeGreaterThan(pulls));
    expect(seen.at(-1)).toEqual({ a: 2, b: 1, c: 3 });
  });

  test('shows its own edit until the pull brings the document that the answer had no room for', async () => {
    const { world, notes, answer, seen, read } = await device();
    await notes.put({ ...(await read()), a: 2 });
    await soon(() => expect(world.batches).toHaveLength(1));
    const { answer: waits } = world;
    world.answer = request => (isBatch(request) ? waits(request) : 'hangs');
    await answer(answered('merged', 3));
    expect(await read()).toMatchObject({ a: 2, version: 1 });
    expect(seen.at(-1)).toEqual({ a: 2, b: 1, c: 1 });
  });

  test('sends queued edits without base versions after everything was fetched again', async () => {
    const { world, sync, notes, answer, read } = await device();
    await notes.put({ ...(await read()), a: 2 });
    await soon(() => expect(world.batches).toHaveLength(1));
    await notes.put({ ...(await read()), c: 3 });
    const { answer: waits } = world;
    world.answer = request => (isBatch(request) ? waits(request) : pulled(1_000_000_009, [], { reset: true, syncToken: 'new.1000000009' }));
    await world.socket.says({ type: 'SYNC_RESPONSE', message: 'Sync reset', reset: true, lastSeq: 0 });
    await soon(() => expect(sync.status.revision).toBe(1_000_000_009));
    await answer(merged(stored(3, { a: 2, b: 9, c: 1 })));
    await soon(() => expect(sent(world, 1)).toEqual({ a: 2, b: 1, c: 3, baseVersion: undefined }));
  });

  test('does not rebase a deletion that was queued meanwhile', async () => {
    const { world, notes, answer, seen, read } = await device();
    await notes.put({ ...(await read()), a: 2 });
    await soon(() => expect(world.batches).toHaveLength(1));
    await notes.delete('n');
    await answer(merged(stored(3, { a: 2, b: 9, c: 1 })));
    await soon(() => expect(world.batches[1]!.entities).toMatchObject([{ id: 'n', deleted: true }]));
    expect(await notes.get('n')).toBeUndefined();
    expect(seen.at(-1)).toEqual({});
  });
});

test('an app that merges no longer accepts a merged answer, and its next edit does not undo the merge', async () => {
  const { world, notes, answer, read } = await device({ merging: undefined });
  await notes.put({ ...(await read()), a: 2 });
  await soon(() => expect(world.batches).toHaveLength(1));
  await notes.put({ ...(await read()), c: 3 });
  await answer(merged(stored(3, { a: 2, b: 9, c: 1 })));
  // It names the version that it was made on, which the server beats or keeps in the feed.
  await soon(() => expect(sent(world, 1)).toEqual({ a: 2, b: 1, c: 3, baseVersion: 1 }));
});
