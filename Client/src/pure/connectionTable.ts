import type { TransitionTable } from './stateMachine.js';

/**
 * - following: another tab leads.
 * - offline: the app or the browser has switched the network off.
 * - connecting: a ticket is fetched and the socket opens.
 * - catchingUp: the server sends what this device missed.
 * - live: changes arrive as they happen.
 * - waiting: the back-off before the next attempt.
 * - polling: the server answers HTTP, but sockets fail.
 * - signedOut: a new token is needed.
 * - refused: the device is revoked, or the server speaks another protocol version.
 * - closed: the app has closed the device. No event leaves this state.
 */
export type ConnectionState =
  | 'following' | 'offline' | 'connecting' | 'catchingUp' | 'live' | 'waiting' | 'polling' | 'signedOut' | 'refused' | 'closed';

/**
 * - lead, follow: this tab became the leader, or stopped leading.
 * - online, offline: the app or the browser has switched the network on or off.
 * - opened, caughtUp, dropped: the socket opened, delivered what was missed, or closed.
 * - gap: a revision is missing in the stream.
 * - blocked: sockets fail although the server answers HTTP.
 * - timer: the wait is over.
 * - probe: it is time to try a socket again.
 * - unauthorized: the server answered 401 to the newest token.
 * - refused: the server answered 403, or speaks another protocol version.
 * - token: the app set a new token.
 * - close: the app closes the device.
 */
export type ConnectionEvent =
  | 'lead' | 'follow' | 'online' | 'offline' | 'opened' | 'caughtUp' | 'gap' | 'dropped' | 'blocked' | 'timer'
  | 'probe' | 'unauthorized' | 'refused' | 'token' | 'close';

/**
 * - connect: fetches a ticket and opens a socket.
 * - resume: asks the socket for everything after the cursor.
 * - pull: fetches it over HTTP instead.
 * - backOff: sets the timer.
 * - poll: pulls and sets the timer.
 * - disconnect: ends the socket, the timers and the requests.
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
