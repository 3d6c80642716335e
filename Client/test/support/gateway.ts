import { spawn, type ChildProcess } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { closeSync, cpSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const DLL = fileURLToPath(new URL('../../../Silo/bin/Release/net10.0/Mirubato.Silo.dll', import.meta.url));
const SECRET = 'a secret of the tests, long enough for HS256';

export const isBuilt = existsSync(DLL);
if (!isBuilt) console.warn(`Tests against the server are skipped: ${DLL} is not there. 'dotnet build Silo -c Release' makes it.`);

/** The real server on a free port, with SQLite in a directory of its own. */
export class Gateway {
  private readonly folder = mkdtempSync(join(tmpdir(), 'mirubato-client-'));
  private process: ChildProcess | undefined;
  private port = 0;

  static async start(): Promise<Gateway> {
    const gateway = new Gateway();
    gateway.port = await freePort();
    await gateway.up();
    return gateway;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  token(user: string, seconds = 3_600): string {
    const now = Math.floor(Date.now() / 1000);
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: user, iat: now, exp: now + seconds })}`;
    return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
  }

  /** Returns a full pull, as a new client receives it. */
  async pull(user: string): Promise<Record<string, unknown>> {
    const response = await fetch(`${this.url}/api/sync/pull`, { method: 'POST', headers: { authorization: `Bearer ${this.token(user)}` } });
    return (await response.json()) as Record<string, unknown>;
  }

  /** Copies the database aside and restarts the server. */
  async backUp(): Promise<void> {
    await this.kill();
    cpSync(this.folder, this.backup, { recursive: true });
    await this.up();
  }

  /** As docs/operations.md says: the database as it was, and a new epoch for everybody. */
  async restore(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true });
    cpSync(this.backup, this.folder, { recursive: true });
    await new Promise(resolve => this.run('--bump-epochs').once('exit', resolve));
    await this.up();
  }

  private get backup(): string {
    return `${this.folder}-backup`;
  }

  /** The end of what the server wrote, for a test that failed. */
  log(): string {
    return readFileSync(this.logFile, 'utf8').slice(-4_000);
  }

  private get logFile(): string {
    return `${this.folder}.log`;
  }

  private run(...options: string[]): ChildProcess {
    const log = openSync(this.logFile, 'a');
    const server = spawn('dotnet', [DLL, ...options], {
      cwd: this.folder,
      env: { ...process.env, DOTNET_ENVIRONMENT: 'Staging', Auth__Secret: SECRET, Storage__SqlitePath: join(this.folder, 'mirubato.db') },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    return server;
  }

  async up(): Promise<void> {
    this.process = this.run('--Urls', this.url);
    for (let i = 0; i < 300; i++) {
      if (this.process.exitCode !== null) break;
      if (await fetch(`${this.url}/health/ready`).then(response => response.ok, () => false)) return;
      await new Promise(resolve => setTimeout(resolve, 100));
    }
    throw new Error(`The gateway does not come up: ${this.log()}`);
  }

  /** Kills the process without a shutdown. */
  async kill(): Promise<void> {
    const { process } = this;
    if (!process || process.exitCode !== null || process.signalCode !== null) return;
    const ended = new Promise(resolve => process.once('exit', resolve));
    process.kill('SIGKILL');
    await ended;
  }

  async stop(): Promise<void> {
    await this.kill();
    for (const path of [this.folder, this.backup, this.logFile]) rmSync(path, { recursive: true, force: true });
  }
}

/**
 * A port nobody listens on. It lies below those the system hands out by itself: each outgoing connection and each server on port 0 takes
 * one of these, at any time before the process listens.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 22_000);
    if (await isFree(port)) return port;
  }
}

const isFree = (port: number): Promise<boolean> => new Promise(resolve => {
  const server = createServer().on('error', () => resolve(false)).listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
});
