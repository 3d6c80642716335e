// dist/: ESM beside its types. Modules stay apart, so that a page's own bundler can leave out what it does not use.
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { build } from 'esbuild';
import { filesUnder } from './files.mjs';

rmSync('dist', { recursive: true, force: true });
await build({ entryPoints: filesUnder('src', '.ts'), outdir: 'dist', format: 'esm', target: 'es2022', logLevel: 'warning' });
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'], { stdio: 'inherit' });
