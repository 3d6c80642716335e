import { readdirSync } from 'node:fs';
import { join } from 'node:path';

export const filesUnder = (folder, ending) =>
  readdirSync(folder, { recursive: true }).map(file => join(folder, file)).filter(file => file.endsWith(ending)).sort();
