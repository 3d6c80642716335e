import { execFile } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SDK_VERSION } from '../src/support.js';
import { Gateway, isBuilt } from './support/gateway.js';
import { Project, ROOT } from './support/package.js';

const BYTES_MAX = 16_384;
const run = promisify(execFile);

let project: Project;
beforeAll(() => {
  project = new Project();
});
afterAll(() => project.remove());

const inProject = (file: string, text: string): string => {
  writeFileSync(join(project.folder, file), text);
  return join(project.folder, file);
};

test.each([['index', BYTES_MAX], ['merging', 2_048], ['history', 1_024], ['support', 3_072]])(
  'the entry point %s is at most %i bytes, minified and gzipped', async (entry, bytesMax) => {
  const bundle = await build(
    { entryPoints: [join(ROOT, `src/${entry}.ts`)], bundle: true, minify: true, format: 'esm', target: 'es2022', write: false });
  const bytes = gzipSync(bundle.outputFiles[0]!.contents, { level: 9 }).length;
  console.log(`${bytes} bytes gzipped`);
  expect(bytes).toBeLessThanOrEqual(bytesMax);
});

test('has separate entry points for merging, history and support', async () => {
  const page = inProject(
    'entries.ts', "import { merging } from '@mirubato/sync/merging';\nimport { history, rewind } from '@mirubato/sync/history';\n"
      + "import { recordErrors, supportBundle } from '@mirubato/sync/support';\n"
      + "console.log(merging, history, rewind, recordErrors, supportBundle);\n");
  const bundle = await build({ entryPoints: [page], bundle: true, format: 'esm', platform: 'browser', write: false });
  expect(bundle.outputFiles[0]!.text).toContain('x-sync-merge');
  expect(bundle.outputFiles[0]!.text).not.toContain('No IndexedDB here');
});

test('names its version in a support bundle', () =>
  expect(SDK_VERSION).toBe(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version));

test('has no dependency', () => expect(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).dependencies).toBeUndefined());

test('holds the built files and nothing else', () => {
  const home = join(project.folder, 'node_modules/@mirubato/sync');
  const files = (readdirSync(home, { recursive: true }) as string[]).filter(file => /\.\w+$/.test(file)).sort();
  expect(files).toContain('dist/index.js');
  expect(files).toContain('dist/index.d.ts');
  expect(files.filter(file => !/^dist\/.*\.(js|d\.ts)$/.test(file))).toEqual(['README.md', 'package.json']);
});

test('can be bundled with esbuild', async () => {
  const page = inProject('page.ts', "import { openSync } from '@mirubato/sync';\nconsole.log(openSync);\n");
  const bundle = await build({ entryPoints: [page], bundle: true, format: 'esm', platform: 'browser', write: false });
  expect(bundle.outputFiles[0]!.text).toContain('No IndexedDB here');
});

test('can be bundled with Vite', async () => {
  inProject('page.ts', "import { openSync } from '@mirubato/sync';\nconsole.log(openSync);\n");
  inProject('index.html', '<!doctype html><script type="module" src="/page.ts"></script>');
  const vite = await import('vite');
  const output = await vite.build({ root: project.folder, logLevel: 'error', configFile: false, build: { write: false } });
  const files = (output as unknown as { output: { fileName: string; code?: string }[] }).output;
  expect(files.some(file => file.code?.includes('No IndexedDB here'))).toBe(true);
});

test('fails in Node without IndexedDB with a message that names the remedy', async () => {
  const script = inProject(
    'bare.mjs', "import { openSync } from '@mirubato/sync';\nawait openSync({ url: 'http://localhost', token: 'x' });\n");
  await expect(run(process.execPath, [script])).rejects.toThrow("import 'fake-indexeddb/auto' first");
});

describe('the README', () => {
  const blocks = [...readFileSync(join(ROOT, 'README.md'), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map(match => match[1]!);

  // What the README leaves to the reader.
  const READERS = `
    declare function fetchToken(): Promise<string>;
    declare function render(all: object[]): void;
    declare const sync: import('@mirubato/sync').Sync;`;
  const CONFIG = {
    compilerOptions: {
      strict: true, noEmit: true, target: 'ES2022', module: 'ESNext', moduleResolution: 'bundler', lib: ['ES2023', 'DOM'],
      types: ['node'], skipLibCheck: true
    },
    include: ['block*.ts', 'readers.d.ts']
  };

  test('has a first example of ten lines', () =>
    expect(blocks[0]!.trim().split('\n').filter(line => line.trim()).length).toBeLessThanOrEqual(10));

  test('has code that compiles against the package\'s types', async () => {
    blocks.forEach((block, i) => inProject(`block${i}.ts`, `${block}\nexport {};\n`));
    inProject('readers.d.ts', READERS);
    inProject('tsconfig.json', JSON.stringify(CONFIG));
    await run(
      process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', project.folder]).catch(error => expect.fail(error.stdout));
  });

  describe.skipIf(!isBuilt)('with a server', () => {
    let gateway: Gateway;
    beforeAll(async () => {
      gateway = await Gateway.start();
    });
    afterAll(() => gateway.stop());

    test.concurrent.each(blocks.map((block, i) => [i + 1, block] as const))('block %i runs', async (number, block) => {
      const user = `reader${number}`;
      const needsSync = !block.includes('openSync(');
      const script = `
        import 'fake-indexeddb/auto';
        import ws from 'ws';
        import { openSync as open } from '@mirubato/sync';
        globalThis.WebSocket ??= ws;
        globalThis.fetchToken = async () => ${JSON.stringify(gateway.token(user))};
        globalThis.render = () => {};
        ${needsSync ? `const sync = await open({ url: ${JSON.stringify(gateway.url)}, token: fetchToken });` : ''}
        ${block.replaceAll('https://sync.example.org', gateway.url)}
        if (sync.status.connection !== 'closed') await sync.flush();
        console.log('reached the end');
        process.exit();`;
      const { code } = await (await import('esbuild')).transform(script, { loader: 'ts', format: 'esm', target: 'es2022' });
      const { stdout } = await run(process.execPath, [inProject(`run${number}.mjs`, code)], { timeout: 80_000 });
      expect(stdout).toContain('reached the end');
      if (number <= 3) expect(JSON.stringify(await gateway.pull(user))).toMatch(/Up to tempo|Memorize the first page|Scales/);
    });
  });
});
