import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

test('the script that the Gateway serves at /demo is built from these sources', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mirubato-demo-'));
  try {
    const fresh = join(folder, 'demo.js');
    execFileSync(process.execPath, ['scripts/demo.mjs', fresh]);
    const served = readFileSync('../Gateway/wwwroot/demo/demo.js', 'utf8');
    expect(served === readFileSync(fresh, 'utf8'), "It differs: run 'npm run demo' in Client/ and commit what it writes.").toBe(true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
