// One minified file with everything in it, for a page without a bundler: node scripts/bundle.mjs [file]
import { build } from 'esbuild';

await build({
  entryPoints: ['src/index.ts'], outfile: process.argv[2] ?? 'dist/mirubato-sync.min.js',
  bundle: true, minify: true, format: 'esm', target: 'es2022', logLevel: 'warning',
});
