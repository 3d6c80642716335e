import type { TransitionTable } from './stateMachine.js';

/**
 * - held: another tab sends, or there is no network.
 * - idle: there is nothing to send.
 * - sending: a batch waits for its answer.
 * - stirred: a batch waits for its answer, and an edit was queued meanwhile.
 * - waiting: the back-off before the next attempt.
 */
export type QueueState = 'held' | 'idle' | 'sending' | 'stirred' | 'waiting';

/**
 * - release, hold: the connection came online, or went offline.
 * - wake: an edit was queued.
 * - flush: the app wants to send now, during a back-off too.
 * - settled: a batch was answered, whatever the answer says of its items.
 * - empty: there was nothing to send.
 * - failed: a batch got no answer, or was told to come later.
 * - timer: the wait is over.
 */
export type QueueEvent = 'release' | 'hold' | 'wake' | 'flush' | 'settled' | 'empty' | 'failed' | 'timer';

/** `send` stages a batch, or takes the staged one, and sends it. `backOff` sets the timer, `cancel` unsets it. */
export type QueueAction = 'send' | 'backOff' | 'cancel';

const stays = <S extends QueueState>(state: S) => ({
  release: [state], hold: ['held', 'cancel'], wake: [state], flush: [state], settled: [state], empty: [state], failed: [state],
  timer: [state],
}) as const;

export const queueTable: TransitionTable<QueueState, QueueEvent, QueueAction> = {
  held: { ...stays('held'), release: ['sending', 'send'], hold: ['held'] },
  idle: {
    ...stays('idle'),
    release: ['sending', 'send'],
    wake: ['sending', 'send'],
    flush: ['sending', 'send'],
    timer: ['sending', 'send'],
  },
  sending: {
    ...stays('sending'),
    wake: ['stirred'],
    flush: ['stirred'],
    settled: ['sending', 'send'],
    empty: ['idle'],
    failed: ['waiting', 'backOff'],
    timer: ['stirred'],
  },
  // An edit that was queued while the last look found nothing must still be sent.
  stirred: { ...stays('stirred'), settled: ['sending', 'send'], empty: ['sending', 'send'], failed: ['waiting', 'backOff'] },
  // A new edit does not shorten the back-off, so that typing does not load a server that is down.
  waiting: { ...stays('waiting'), flush: ['sending', 'cancel', 'send'], timer: ['sending', 'send'] },
};
