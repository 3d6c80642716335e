import { createServer, connect, type Server, type Socket } from 'node:net';

/** A TCP relay with a slow line behind it: so many bytes a second each way, and perhaps a line that breaks after so many. */
export class Relay {
  /** Ends a connection once it has carried so many bytes to the client. */
  cutAfter = Infinity;
  cuts = 0;
  private readonly sockets = new Set<Socket>();
  private constructor(private readonly server: Server) {}

  static async start(port: number, bytesPerSecond: number): Promise<Relay> {
    const server = createServer();
    const relay = new Relay(server);
    server.on('connection', client => relay.carry(client, port, bytesPerSecond));
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as { port: number }).port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise(resolve => this.server.close(resolve));
  }

  private carry(client: Socket, port: number, rate: number): void {
    const upstream = connect(port, '127.0.0.1');
    for (const [from, to] of [[client, upstream], [upstream, client]] as const) {
      this.sockets.add(from);
      let carried = 0;
      from.on('data', data => {
        // What is on the line blocks what follows, as on a line of that rate.
        from.pause();
        setTimeout(() => {
          carried += data.length;
          to.write(data);
          if (from === upstream && carried >= this.cutAfter) {
            this.cuts++;
            client.destroy();
          } else from.resume();
        }, (data.length / rate) * 1000);
      });
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
      from.on('error', () => {});
    }
  }
}
