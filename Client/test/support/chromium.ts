import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import WebSocket from 'ws';

const usual = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const CHROMIUM = (process.env.MIRUBATO_TEST_CHROMIUM ? [process.env.MIRUBATO_TEST_CHROMIUM] : usual).find(existsSync);

export const hasChromium = CHROMIUM !== undefined;
if (!hasChromium) {
  console.warn("Tests in a browser are skipped: Chromium is not there. 'apt-get install chromium-headless-shell' brings it.");
}

/** One page, driven over the Chrome DevTools Protocol. */
export interface Page {
  evaluate<T>(expression: string): Promise<T>;
  /** Frozen, or active again. */
  lifecycle(state: 'frozen' | 'active'): Promise<unknown>;
  /** As a user does who clears the data of a site. */
  clear(): Promise<unknown>;
  /** Limits what the site may store, in bytes; without a number the limit is the browser's own again. */
  limitStorage(bytes?: number): Promise<unknown>;
  /** Limits the page's network, in bytes a second. */
  throttle(down: number, up: number): Promise<unknown>;
  /** Stops the page in the middle of its script, without an event; `resume` continues it. */
  stop(): Promise<unknown>;
  resume(): Promise<unknown>;
}

export class Chromium {
  private readonly folder = mkdtempSync(join(tmpdir(), 'mirubato-chromium-'));
  private process!: ChildProcess;
  private socket!: WebSocket;
  private sent = 0;
  private readonly waiting = new Map<number, { resolve(result: any): void; reject(error: Error): void }>();

  static async start(): Promise<Chromium> {
    const chromium = new Chromium();
    chromium.process = spawn(
      CHROMIUM!, ['--headless=new', '--no-sandbox', '--remote-debugging-port=0', `--user-data-dir=${chromium.folder}`, 'about:blank'],
      { stdio: ['ignore', 'ignore', 'pipe'] });
    const address = await new Promise<string>((resolve, reject) => {
      let said = '';
      chromium.process.stderr!.on('data', data => {
        const found = /listening on (ws:\S+)/.exec((said += data));
        if (found) resolve(found[1]!);
      });
      chromium.process.once('exit', () => reject(new Error(`Chromium does not start: ${said}`)));
    });
    chromium.socket = new WebSocket(address);
    await new Promise(resolve => chromium.socket.once('open', resolve));
    chromium.socket.on('message', data => {
      const { id, result, error } = JSON.parse(String(data));
      const waiting = chromium.waiting.get(id);
      if (error) waiting?.reject(new Error(error.message));
      else waiting?.resolve(result);
    });
    return chromium;
  }

  async open(url: string): Promise<Page> {
    const { targetId } = await this.call('Target.createTarget', { url });
    const { sessionId } = await this.call('Target.attachToTarget', { targetId, flatten: true });
    await this.loaded(url, sessionId);
    const call = (method: string, params = {}) => this.call(method, params, sessionId);
    const { origin } = new URL(url);
    return {
      evaluate: async expression => {
        const { result, exceptionDetails } = await this.call(
          'Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true }, sessionId);
        if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
        return result.value;
      },
      lifecycle: state => call('Page.setWebLifecycleState', { state }),
      clear: () => call('Storage.clearDataForOrigin', { origin, storageTypes: 'indexeddb' }),
      limitStorage: quotaSize => call('Storage.overrideQuotaForOrigin', { origin, quotaSize }),
      throttle: (downloadThroughput, uploadThroughput) =>
        call('Network.emulateNetworkConditions', { offline: false, latency: 20, downloadThroughput, uploadThroughput }),
      stop: async () => {
        await call('Debugger.enable');
        await call('Debugger.pause');
        void call('Runtime.evaluate', { expression: '1' });
      },
      resume: () => call('Debugger.disable'),
    };
  }

  /** A new page is empty at first, and what runs in it then runs nowhere. */
  private async loaded(url: string, sessionId: string): Promise<void> {
    const expression = `location.href === ${JSON.stringify(url)} && document.readyState === 'complete'`;
    for (let left = 600; left; left--) {
      const { result } = await this.call('Runtime.evaluate', { expression, returnByValue: true }, sessionId);
      if (result.value) return;
      await new Promise(resolve => setTimeout(resolve, 100));
    }
    throw new Error(`${url} is not loaded.`);
  }

  async stop(): Promise<void> {
    const ended = new Promise(resolve => this.process.once('exit', resolve));
    // The process may be a script of the distribution around the browser, which would be left behind by a signal.
    void this.call('Browser.close', {});
    await ended;
    // Chromium's helper processes may still write for a moment: rmSync's own retries do not list the folder again.
    for (let left = 50; existsSync(this.folder); left--) {
      try {
        rmSync(this.folder, { recursive: true, force: true });
      } catch (error) {
        if (!left) throw error;
        await new Promise(resolve => setTimeout(resolve, 100));
      }
    }
  }

  private call(method: string, params: object, sessionId?: string): Promise<any> {
    const id = ++this.sent;
    this.socket.send(JSON.stringify({ id, method, params, sessionId }));
    return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
  }
}
