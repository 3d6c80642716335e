import type { TransitionTable } from './stateMachine.js';

/**
 * following: another tab leads · offline: by switch or browser · connecting: fetching a ticket, opening · catchingUp: what was missed is
 * under way ·
 * live: changes come as they happen · waiting: before the next attempt · polling: HTTP answers, sockets do not · signedOut: needs a token ·
 * refused: the device was turned away, or the protocol differs · closed: for good.
 */
export type ConnectionState =
  | 'following' | 'offline' | 'connecting' | 'catchingUp' | 'live' | 'waiting' | 'polling' | 'signedOut' | 'refused' | 'closed';

/**
 * lead, follow: this tab became leader, or no longer is · online, offline: the switch or the browser · opened, caughtUp, dropped: the
 * socket · gap: a hole in the stream ·
 * blocked: sockets fail while HTTP answers · timer: the wait is over · probe: time to try a socket again · unauthorized: 401 with the
 * freshest token ·
 * refused: 403, or another protocol version · token: the app brought one · close.
 */
export type ConnectionEvent =
  | 'lead' | 'follow' | 'online' | 'offline' | 'opened' | 'caughtUp' | 'gap' | 'dropped' | 'blocked' | 'timer'
  | 'probe' | 'unauthorized' | 'refused' | 'token' | 'close';

/**
 * connect: ticket and socket · resume: ask for what came since · pull: over HTTP · backOff: set the timer · poll: pull and set the timer ·
 * disconnect: drop socket, timers, requests.
 */
export type ConnectionAction = 'connect' | 'resume' | 'pull' | 'backOff' | 'poll' | 'disconnect';

// The cells that most rows share. A late event, from a socket that was already given up, changes nothing.
const stays = <S extends ConnectionState>(state: S) => ({
  lead: [state], follow: [state], online: [state], offline: [state], opened: [state], caughtUp: [state], gap: [state],
  dropped: [state], blocked: [state],
  timer: [state], probe: [state], unauthorized: [state], refused: [state], token: [state], close: ['closed', 'disconnect'],
}) as const;

// Every state with a network leaves it by the same events.
const leaves = {
  follow: ['following', 'disconnect'],
  offline: ['offline', 'disconnect'],
  unauthorized: ['signedOut', 'disconnect'],
  refused: ['refused', 'disconnect'],
  close: ['closed', 'disconnect'],
} as const;

export const connectionTable: TransitionTable<ConnectionState, ConnectionEvent, ConnectionAction> = {
  // A new leader starts offline; `online` follows if the switch allows it.
  following: { ...stays('following'), lead: ['offline'] },
  offline: { ...stays('offline'), follow: ['following'], online: ['connecting', 'connect'] },
  connecting: {
    ...stays('connecting'), ...leaves,
    opened: ['catchingUp', 'resume'],
    dropped: ['waiting', 'backOff'],
    blocked: ['polling', 'poll'],
  },
  catchingUp: {
    ...stays('catchingUp'), ...leaves,
    caughtUp: ['live'],
    gap: ['catchingUp', 'pull'],
    dropped: ['waiting', 'backOff'],
    // The socket opened but delivered nothing.
    blocked: ['polling', 'poll'],
  },
  live: {
    ...stays('live'), ...leaves,
    gap: ['catchingUp', 'pull'],
    dropped: ['waiting', 'backOff'],
  },
  waiting: {
    ...stays('waiting'), ...leaves,
    online: ['connecting', 'connect'],
    timer: ['connecting', 'connect'],
    token: ['connecting', 'connect'],
  },
  polling: {
    ...stays('polling'), ...leaves,
    online: ['connecting', 'connect'],
    probe: ['connecting', 'connect'],
    timer: ['polling', 'poll'],
  },
  // Going online retries; a token that is still refused leads back here.
  signedOut: {
    ...stays('signedOut'), follow: ['following'], offline: ['offline'], online: ['connecting', 'connect'], token: ['connecting', 'connect']
  },
  refused: {
    ...stays('refused'), follow: ['following'], offline: ['offline'], online: ['connecting', 'connect'], token: ['connecting', 'connect']
  },
  closed: { ...stays('closed'), close: ['closed'] },
};

/** Whether requests are sent in a state; the queue is held in the others. These are the states that a 401 ends. */
export const isOnline = (state: ConnectionState): boolean => connectionTable[state].unauthorized.length > 1;
