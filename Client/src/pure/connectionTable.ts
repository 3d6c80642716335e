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
  | 'lead' | 'follow' | 'online' | 'offline' | 'opened' | 'caughtUp' | 'gap' | 'dropped' | 'blocked' | 'timer' | 'probe' | 'unauthorized' | 'refused' | 'token' | 'close';

/**
 * connect: ticket and socket · resume: ask for what came since · pull: over HTTP · backOff: set the timer · poll: pull and set the timer ·
 * disconnect: drop socket, timers, requests.
 */
export type ConnectionAction = 'connect' | 'resume' | 'pull' | 'backOff' | 'poll' | 'disconnect';

// Cells that are alike in most rows. An event that comes late, from a socket already given up, changes nothing.
const stays = <S extends ConnectionState>(state: S) => ({
  lead: [state], follow: [state], online: [state], offline: [state], opened: [state], caughtUp: [state], gap: [state],
  dropped: [state], blocked: [state],
  timer: [state], probe: [state], unauthorized: [state], refused: [state], token: [state], close: ['closed', 'disconnect'],
}) as const;

// Whoever is on the network leaves it in the same ways.
const leaves = {
  follow: ['following', 'disconnect'],
  offline: ['offline', 'disconnect'],
  unauthorized: ['signedOut', 'disconnect'],
  refused: ['refused', 'disconnect'],
  close: ['closed', 'disconnect'],
} as const;

export const connectionTable: TransitionTable<ConnectionState, ConnectionEvent, ConnectionAction> = {
  // A new leader looks at the switch first: `online` follows if it is on.
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
    // It opened, and nothing ever came through.
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
  // The switch may be what the user tries; if the token still does not count, the answer brings us back here.
  signedOut: {
    ...stays('signedOut'), follow: ['following'], offline: ['offline'], online: ['connecting', 'connect'], token: ['connecting', 'connect']
  },
  refused: {
    ...stays('refused'), follow: ['following'], offline: ['offline'], online: ['connecting', 'connect'], token: ['connecting', 'connect']
  },
  closed: { ...stays('closed'), close: ['closed'] },
};

/** Whether requests make sense in a state: the queue is held in the others. They are the states that an answer of 401 ends. */
export const isOnline = (state: ConnectionState): boolean => connectionTable[state].unauthorized.length > 1;
