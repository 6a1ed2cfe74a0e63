import { createServer, type Server } from 'node:http';
import { RECEIVER_PORT } from '../scaled-roost.js';

/** Takes webhooks on loopback and remembers when each came, by its `webhook-id`. */
export class Receiver {
  readonly arrivals = new Map<string, number>();

  private constructor(private readonly server: Server) {}

  /** Errors: when the port is taken, which is the same in every run. */
  static async start(): Promise<Receiver> {
    const server = createServer((request, response) => {
      request.resume().on('end', () => {
        const id = String(request.headers['webhook-id']);
        if (!receiver.arrivals.has(id)) receiver.arrivals.set(id, Date.now());
        response.writeHead(204).end();
      });
    });
    const receiver = new Receiver(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(RECEIVER_PORT, '127.0.0.1', resolve);
    });
    return receiver;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}
