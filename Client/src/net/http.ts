import { verdictFor } from '../pure/verdict.js';
import { headerText, parseJson } from '../pure/wire.js';
import type { Frame, Platform } from '../types.js';
import type { Credentials } from './credentials.js';
import { Failure, offline, unreachable } from './failure.js';

// Of silence. How far an upload has come nobody tells: it may be as slow as a kilobyte a second.
const SILENCE_MAX_MS = 60_000;
const UPLOAD_BYTES_PER_MS = 1;
// As if the server had said that it waited in vain.
const REQUEST_TIMEOUT = 408;
const GZIP_MIN_CHARS = 1_024;
// A timer for a month ends at once.
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

/** Requests to the server: identity, time-outs, and what a failure means. */
export class Http {
  private aborter = new AbortController();

  constructor(
    private readonly url: string,
    private readonly device: string,
    private readonly credentials: Credentials,
    private readonly platform: Platform,
    private readonly log: (frame: Omit<Frame, 'at' | 'via'>) => void,
    /** Work that was under way when the switch was turned, or the device closed, must not go on to its next request. */
    private readonly isOff: () => boolean,
  ) {}

  /** Ends whatever is under way. What became of it is unknown, and found out by repeating it. */
  abort(): void {
    this.aborter.abort();
    this.aborter = new AbortController();
  }

  /** A token that was refused is replaced once, if there is where from. */
  async call(method: string, path: string, body?: string, headers: Record<string, string> = {}): Promise<Answer> {
    const { signal } = this.aborter;
    try {
      return await this.#callOnce(method, path, body, headers, signal);
    } catch (error) {
      if (!(error instanceof Failure) || error.verdict !== 'unauthorized' || !this.credentials.discard(true)) throw error;
      return this.#callOnce(method, path, body, headers, signal);
    }
  }

  /** A token for the socket. */
  token(): Promise<string> {
    return this.#withTimeout(this.aborter.signal, request => this.credentials.get(request.signal));
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

  /** Neither the app's token callback nor a silent network may keep us for ever, and neither for a moment once the line is cut. */
  async #withTimeout<T>(connection: AbortSignal, work: (request: Request) => Promise<T>): Promise<T> {
    if (connection.aborted || this.isOff()) throw offline();
    const { platform } = this;
    const controller = new AbortController();
    const end = () => controller.abort();
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
  /** Something came: the wait begins anew. */
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
  // A 200 that is no JSON comes from a captive portal or a proxy, not from the server.
  if (status === 304 || status === 204 || (response.ok && body !== undefined)) return { status, body, etag };
  const { code, error } = (body ?? {}) as Problem;
  const waitMs = Math.min(Number(response.headers.get('retry-after')) || 0, RETRY_AFTER_MAX_S) * 1000;
  throw new Failure(
    verdictFor(status, response.headers.has('x-sync-schema')), code ?? `HTTP_${status}`, error ?? `The server answered ${status}.`,
    status, waitMs);
}

// It opens a socket as a token does.
const isTicket = (body: unknown): boolean => !!(body as { ticket?: string } | null | undefined)?.ticket;
