import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './gateway.js';

const NGINX = ['/usr/sbin/nginx', '/usr/bin/nginx', '/usr/local/bin/nginx'].find(existsSync);

export const hasNginx = NGINX !== undefined;
if (!hasNginx) console.warn("Tests behind a proxy are skipped: nginx is not there. 'apt-get install nginx-light' brings it.");

/** A real nginx in front of a server, with what its location says beside `proxy_pass`. */
export class Nginx {
  private readonly folder = mkdtempSync(join(tmpdir(), 'mirubato-nginx-'));
  private process!: ChildProcess;
  url = '';

  static async start(upstream: string, location = ''): Promise<Nginx> {
    const nginx = new Nginx();
    const port = await freePort();
    nginx.url = `http://127.0.0.1:${port}`;
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      name => `${name}_temp_path ${nginx.folder}/${name};`).join(' ');
    writeFileSync(join(nginx.folder, 'nginx.conf'), `
      ${process.getuid?.() === 0 ? 'user root;' : ''} daemon off; pid ${nginx.folder}/pid; error_log ${nginx.folder}/error.log; events {}
      http {
        access_log off; ${temporary}
        server {
          listen 127.0.0.1:${port};
          location / {
            proxy_pass ${upstream}; proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $http_connection;
            ${location}
          }
        }
      }`);
    nginx.process = spawn(NGINX!, ['-c', join(nginx.folder, 'nginx.conf'), '-p', nginx.folder], { stdio: 'ignore' });
    while (!(await listens(port))) if (nginx.process.exitCode !== null) throw new Error('nginx does not start.');
    return nginx;
  }

  async stop(): Promise<void> {
    const ended = new Promise(resolve => this.process.once('exit', resolve));
    this.process.kill('SIGTERM');
    await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const listens = (port: number): Promise<boolean> => new Promise(resolve => {
  const socket = connect(port, '127.0.0.1', () => {
    socket.destroy();
    resolve(true);
  });
  socket.on('error', () => setTimeout(() => resolve(false), 20));
});
