// The demo page's script, which the Gateway serves: committed, so that ./run needs no Node. node scripts/demo.mjs [file]
import { build } from 'esbuild';

await build({
  entryPoints: ['demo/main.ts'], outfile: process.argv[2] ?? '../Gateway/wwwroot/demo/demo.js',
  bundle: true, minify: true, format: 'esm', target: 'es2022',
  charset: 'utf8', legalComments: 'none', logLevel: 'warning',
});
