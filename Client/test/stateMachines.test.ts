import { describe, expect, test } from 'vitest';
import { connectionTable, isOnline, type ConnectionEvent, type ConnectionState } from '../src/pure/connectionTable.js';
import { queueTable, type QueueEvent, type QueueState } from '../src/pure/queueTable.js';
import { StateMachine, type TransitionTable } from '../src/pure/stateMachine.js';

// The tables once more, written out cell by cell: what a cell says is changed in two places, or not at all.
// "." stays without doing anything; "state action …" moves and acts.

const CONNECTION = `
            lead     follow                online              offline             opened             caughtUp gap              dropped         blocked      timer              probe              unauthorized           refused             token              close
following   offline  .                     .                   .                   .                  .        .                .               .            .                  .                  .                      .                   .                  closed+disconnect
offline     .        following             connecting+connect  .                   .                  .        .                .               .            .                  .                  .                      .                   .                  closed+disconnect
connecting  .        following+disconnect  .                   offline+disconnect  catchingUp+resume  .        .                waiting+backOff polling+poll .                  .                  signedOut+disconnect   refused+disconnect  .                  closed+disconnect
catchingUp  .        following+disconnect  .                   offline+disconnect  .                  live     catchingUp+pull  waiting+backOff polling+poll .                  .                  signedOut+disconnect   refused+disconnect  .                  closed+disconnect
live        .        following+disconnect  .                   offline+disconnect  .                  .        catchingUp+pull  waiting+backOff .            .                  .                  signedOut+disconnect   refused+disconnect  .                  closed+disconnect
waiting     .        following+disconnect  connecting+connect  offline+disconnect  .                  .        .                .               .            connecting+connect .                  signedOut+disconnect   refused+disconnect  connecting+connect closed+disconnect
polling     .        following+disconnect  connecting+connect  offline+disconnect  .                  .        .                .               .            polling+poll       connecting+connect signedOut+disconnect   refused+disconnect  .                  closed+disconnect
signedOut   .        following             connecting+connect  offline             .                  .        .                .               .            .                  .                  .                      .                   connecting+connect closed+disconnect
refused     .        following             connecting+connect  offline             .                  .        .                .               .            .                  .                  .                      .                   connecting+connect closed+disconnect
closed      .        .                     .                   .                   .                  .        .                .               .            .                  .                  .                      .                   .                  .
`;

const QUEUE = `
         release       hold         wake          flush                 settled       empty         failed           timer
held     sending+send  .            .             .                     .             .             .                .
idle     sending+send  held+cancel  sending+send  sending+send          .             .             .                sending+send
sending  .             held+cancel  stirred       stirred               sending+send  idle          waiting+backOff  stirred
stirred  .             held+cancel  .             .                     sending+send  sending+send  waiting+backOff  .
waiting  .             held+cancel  .             sending+cancel+send   .             .             .                sending+send
`;

function written(text: string): Record<string, Record<string, string[]>> {
  const [head, ...lines] = text.trim().split('\n').map(line => line.trim().split(/\s+/));
  return Object.fromEntries(
    lines.map(
      ([state, ...cells]) => [state!, Object.fromEntries(cells.map((cell, i) => [head![i]!, cell === '.' ? [state!] : cell.split('+')]))]));
}

const cells = (table: TransitionTable<string, string, string>) =>
  Object.entries(table).flatMap(([state, row]) => Object.entries(row).map(([event, cell]) => [state, event, [...cell]] as const));

describe.each([
  ['connection', connectionTable as TransitionTable<string, string, string>, written(CONNECTION)],
  ['queue', queueTable as TransitionTable<string, string, string>, written(QUEUE)],
])('the table of the %s', (_, table, expected) => {
  test.each(cells(table))('%s × %s → %j', (state, event, cell) => {
    expect(cell).toEqual(expected[state]![event]);
    const acted: string[] = [];
    const machine = new StateMachine(table, state, action => acted.push(action));
    machine.fire(event);
    expect([machine.state, ...acted]).toEqual(cell);
  });

  test('has a cell for every state and event, which leads to an existing state', () => {
    const events = Object.keys(Object.values(expected)[0]!).sort();
    expect(Object.keys(table).sort()).toEqual(Object.keys(expected).sort());
    for (const row of Object.values(table)) {
      expect(Object.keys(row).sort()).toEqual(events);
      for (const [next] of Object.values(row)) expect(Object.keys(table)).toContain(next);
    }
  });
});

test('every state except closed can return to the network', () => {
  const reachable = (from: ConnectionState) => {
    const seen = new Set<ConnectionState>([from]);
    for (const state of seen) for (
      const event of Object.keys(connectionTable[state]) as ConnectionEvent[]) seen.add(connectionTable[state][event][0]);
    return seen;
  };
  for (const state of Object.keys(connectionTable) as ConnectionState[]) expect(reachable(state).has('live')).toBe(state !== 'closed');
});

test('edits are sent in exactly these states', () => {
  const online = (Object.keys(connectionTable) as ConnectionState[]).filter(isOnline);
  expect(online).toEqual(['connecting', 'catchingUp', 'live', 'waiting', 'polling']);
});

test('the state changes before the actions run, so that an action may fire the next event', () => {
  const seen: string[] = [];
  const machine: StateMachine<QueueState, QueueEvent, string> = new StateMachine<QueueState, QueueEvent,
  string>(queueTable, 'held', action => {
    seen.push(`${action} in ${machine.state}`);
    if (machine.state === 'sending') machine.fire('empty');
  }, () => seen.push(machine.state));
  machine.fire('release');
  expect(seen).toEqual(['sending', 'send in sending', 'idle']);
});
