import type { Frame, Platform } from '../types.js';
import { verdictFor } from '../pure/verdict.js';
import type { Credentials } from './credentials.js';
import { Failure, offline, unreachable } from './failure.js';
import { headerText, parseJson } from '../pure/wire.js';

// A request fails after this much silence. An upload reports no progress, so its time-out grows with its size: 1 KB/s is allowed.
const SILENCE_MAX_MS = 60_000;
const UPLOAD_BYTES_PER_MS = 1;
// HTTP 408, also used when the client's own time-out ends a request.
const REQUEST_TIMEOUT = 408;
const GZIP_MIN_CHARS = 1_024;
// A longer Retry-After is cut to this: a timer past 2^31 ms fires at once.
const RETRY_AFTER_MAX_S = 3_600;

export interface Answer {
  status: number;
  body: unknown;
  etag: string | undefined;
}

interface Problem {
  code?: string;
  error?: string;
}

/** Sends requests to the server: identity, time-outs, and what each failure means. */
export class Http {
  #aborter = new AbortController();

  constructor(
    readonly url: string,
    private readonly device: string,
    private readonly credentials: Credentials,
    private readonly platform: Platform,
    private readonly log: (frame: Omit<Frame, 'at' | 'via'>) => void,
    /** Checked before each request, so that running work sends nothing more once the device is offline or closed. */
    private readonly isOff: () => boolean,
  ) {}

  /** Aborts all requests. Their outcome is unknown; repeating them finds out. */
  abort(): void {
    this.#aborter.abort();
    this.#aborter = new AbortController();
  }

  /** Sends a request. A refused token is replaced once, if the source can provide another one. */
  call(method: string, path: string, body?: string, headers: Record<string, string> = {}): Promise<Answer> {
    const { signal } = this.#aborter;
    const send = () => this.#callOnce(method, path, body, headers, signal);
    return send().catch((error: Partial<Failure>) => {
      if (error.verdict !== 'unauthorized' || !this.credentials.discard(true)) throw error;
      return send();
    });
  }

  /** Returns a token for the socket. */
  token(): Promise<string> {
    return this.#withTimeout(this.#aborter.signal, request => this.credentials.get(request.signal));
  }

  #callOnce(method: string, path: string, body: string | undefined, headers: Record<string, string>, signal: AbortSignal): Promise<Answer> {
    return this.#withTimeout(signal, async request => {
      const token = await this.credentials.get(request.signal);
      if (request.signal.aborted) throw offline();
      this.log({ direction: 'out', label: `${method} ${path}`, data: body });
      const response = await this.#fetch(method, path, { ...headers, authorization: `Bearer ${token}` }, body, request);
      this.log({ direction: 'in', label: `${response.status} ${method} ${path}`, data: isTicket(response.body) ? '…' : response.body });
      return response;
    });
  }

  /** Bounds the wait for the app's token callback and for a silent network, and ends it at once on abort. */
  async #withTimeout<T>(connection: AbortSignal, work: (request: Request) => Promise<T>): Promise<T> {
    if (connection.aborted || this.isOff()) throw offline();
    const { platform } = this;
    const controller = new AbortController();
    const end = () => controller.abort(offline());
    let timer: unknown;
    const progress = (ms = SILENCE_MAX_MS) => {
      platform.clearTimeout(timer);
      timer = platform.setTimeout(() => controller.abort(REQUEST_TIMEOUT), ms);
    };
    connection.addEventListener('abort', end);
    progress();
    try {
      return await work({ signal: controller.signal, progress });
    } finally {
      platform.clearTimeout(timer);
      connection.removeEventListener('abort', end);
    }
  }

  async #fetch(
    method: string, path: string, headers: Record<string, string>, text: string | undefined,
    { signal, progress }: Request): Promise<Answer> {
    const { CompressionStream: Gzip, fetch } = this.platform;
    try {
      const isGzipped = Gzip && text && text.length > GZIP_MIN_CHARS;
      const body = isGzipped ? await new Response(new Blob([text]).stream().pipeThrough(new Gzip('gzip'))).arrayBuffer() : text;
      progress(SILENCE_MAX_MS + (text?.length ?? 0) / UPLOAD_BYTES_PER_MS);
      const response = await fetch(this.url + path, {
        method,
        headers: {
          'x-device-id': headerText(this.device), 'x-sync-schema': '1', ...(text && { 'content-type': 'application/json' }),
          ...(isGzipped && { 'content-encoding': 'gzip' }), ...headers,
        },
        signal,
        ...(text && { body: body as string }),
      });
      return toAnswer(response, await readText(response, progress));
    } catch (error) {
      throw error instanceof Failure
        ? error
        : unreachable(
          `The server cannot be reached: ${(error as Error)?.message ?? error}`, signal.reason === REQUEST_TIMEOUT ? REQUEST_TIMEOUT : 0);
    }
  }
}

interface Request {
  signal: AbortSignal;
  /** Restarts the time-out, because data arrived. */
  progress(ms?: number): void;
}

async function readText(response: Response, progress: () => void): Promise<string> {
  const reader = response.body?.getReader();
  if (!reader) return response.text();
  const decoder = new TextDecoder();
  for (let text = ''; ; ) {
    progress();
    const { value, done } = await reader.read();
    if (done) return text;
    text += decoder.decode(value, { stream: true });
  }
}

function toAnswer(response: Response, text: string): Answer {
  const body = parseJson(text);
  const etag = response.headers.get('etag') ?? undefined;
  const { status } = response;
  // A 200 without JSON comes from a captive portal or a proxy, not from the server.
  if (status === 304 || status === 204 || (response.ok && body !== undefined)) return { status, body, etag };
  const { code, error } = (body ?? {}) as Problem;
  const waitMs = Math.min(Number(response.headers.get('retry-after')) || 0, RETRY_AFTER_MAX_S) * 1000;
  throw new Failure(
    verdictFor(status, response.headers.has('x-sync-schema')), code ?? `HTTP_${status}`, error ?? `The server answered ${status}.`,
    status, waitMs);
}

// A ticket opens a socket as a token does, so it is not logged.
const isTicket = (body: unknown): unknown => (body as { ticket?: string } | null | undefined)?.ticket;
