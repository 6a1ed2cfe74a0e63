import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/**
 * `delay`: every piece of data comes so much later · `loss`: this part of the pieces comes a retransmission later, and each
 * behind it with it · `partition`: nothing passes, and nobody is told; what was sent arrives when it is over, as TCP does ·
 * `half`: the same in one direction, from the server to the service · `reset`: every connection is reset, new ones too.
 */
export type LinkFault =
  | { kind: 'delay'; ms: number }
  | { kind: 'loss'; part: number; random: () => number }
  | { kind: 'partition' }
  | { kind: 'half' }
  | { kind: 'reset' };

/** The retransmission timeout that Linux begins with; doubled while it fails, which the numbers of pieces stand for. */
const RETRANSMISSION_MS = 200;

/** One process's way to one server: a proxy on loopback whose faults are those of a network. */
export class TcpLink {
  private fault: LinkFault | undefined;
  private readonly pairs = new Set<Pair>();

  private constructor(
    private readonly server: Server,
    private readonly port: number,
  ) {}

  /** `port`: of the server, on loopback. */
  static async open(port: number): Promise<TcpLink> {
    const server = createServer({ allowHalfOpen: false });
    const link = new TcpLink(server, port);
    server.on('connection', (socket) => link.accept(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return link;
  }

  get address(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The same URL through this link: by TCP, and not by the socket that the launcher's own services take. */
  through(url: string): string {
    const through = new URL(url);
    through.host = this.address;
    through.searchParams.delete('host');
    return through.href;
  }

  setFault(fault: LinkFault | undefined): void {
    this.fault = fault;
    for (const pair of this.pairs) pair.apply(fault);
  }

  /** As where the server's machine loses its power: who is connected hears no more of it, and is not told; new connections work. */
  loseServer(): void {
    for (const pair of this.pairs) pair.loseServer();
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const pair of this.pairs) pair.end();
    await closed;
  }

  private accept(client: Socket): void {
    if (this.fault?.kind === 'reset') return void client.on('error', () => undefined).resetAndDestroy();
    const pair = new Pair(client, connect({ port: this.port, host: '127.0.0.1', noDelay: true }));
    this.pairs.add(pair);
    client.once('close', () => this.pairs.delete(pair));
    pair.apply(this.fault);
  }
}

class Pair {
  private readonly ways: Way[];

  constructor(
    private readonly client: Socket,
    private readonly upstream: Socket,
  ) {
    client.setNoDelay(true);
    this.ways = [new Way(client, upstream, 'up'), new Way(upstream, client, 'down')];
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => undefined);
      one.once('close', () => other.destroy());
    }
  }

  apply(fault: LinkFault | undefined): void {
    if (fault?.kind === 'reset') return this.end();
    for (const way of this.ways) way.apply(fault);
  }

  loseServer(): void {
    this.apply({ kind: 'partition' });
    this.upstream.removeAllListeners('close').destroy();
  }

  end(): void {
    this.client.resetAndDestroy();
    this.upstream.destroy();
  }
}

/** One direction: what comes in goes out in order, at once or later. */
class Way {
  private fault: LinkFault | undefined;
  private dueAt = 0;
  private readonly inFlight: Buffer[] = [];

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    private readonly direction: 'up' | 'down',
  ) {
    from.on('data', (piece: Buffer) => this.pass(piece));
    to.on('drain', () => this.flow());
  }

  apply(fault: LinkFault | undefined): void {
    this.fault = fault;
    this.flow();
  }

  private get isCut(): boolean {
    return this.fault?.kind === 'partition' || (this.fault?.kind === 'half' && this.direction === 'down');
  }

  private flow(): void {
    if (this.isCut) this.from.pause();
    else if (!this.to.writableNeedDrain) this.from.resume();
  }

  private pass(piece: Buffer): void {
    this.dueAt = Math.max(this.dueAt, Date.now() + this.lateMs());
    const waitMs = this.dueAt - Date.now();
    // Behind what is late, so that the order holds.
    if (waitMs <= 0 && this.inFlight.length === 0) return this.write(piece);
    this.inFlight.push(piece);
    setTimeout(() => {
      const next = this.inFlight.shift();
      if (next) this.write(next);
    }, waitMs);
  }

  private lateMs(): number {
    if (this.fault?.kind === 'delay') return this.fault.ms;
    if (this.fault?.kind === 'loss' && this.fault.random() < this.fault.part) return RETRANSMISSION_MS;
    return 0;
  }

  private write(piece: Buffer): void {
    if (!this.to.destroyed && !this.to.write(piece)) this.from.pause();
  }
}
