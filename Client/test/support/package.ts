import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A project that has installed what `npm pack` makes. What it needs beside it is ours, so that no registry is asked. */
export class Project {
  readonly folder = mkdtempSync(join(tmpdir(), 'mirubato-package-'));

  constructor() {
    const [{ filename }] = JSON.parse(
      execFileSync(
        'npm', ['pack', '--json', '--silent', '--pack-destination', this.folder],
        { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
    const home = join(this.folder, 'node_modules', '@mirubato', 'sync');
    mkdirSync(home, { recursive: true });
    execFileSync('tar', ['-xzf', join(this.folder, filename), '-C', home, '--strip-components=1']);
    for (const name of ['fake-indexeddb', 'ws', '@types']) symlinkSync(
      join(ROOT, 'node_modules', name), join(this.folder, 'node_modules', name));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
