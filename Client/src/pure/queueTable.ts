import type { TransitionTable } from './stateMachine.js';

/**
 * held: not this tab's, or no network · idle: nothing to send · sending: a batch is under way · stirred: sending, and something was queued
 * meanwhile · waiting: before the next attempt.
 */
export type QueueState = 'held' | 'idle' | 'sending' | 'stirred' | 'waiting';

/**
 * release, hold: the connection · wake: something was queued · flush: now, whatever the wait · settled: a batch was answered, whatever
 * became of its items ·
 * empty: nothing to send · failed: no answer, or one that says later · timer: the wait is over.
 */
export type QueueEvent = 'release' | 'hold' | 'wake' | 'flush' | 'settled' | 'empty' | 'failed' | 'timer';

/** send: stage a batch, or take the staged one, and send it · backOff: set the timer · cancel: unset it. */
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
