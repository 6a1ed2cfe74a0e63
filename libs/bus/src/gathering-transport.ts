import {
  type NatsConnection,
  NatsConnectionImpl,
  type NodeConnectionOptions,
  setTransportFactory,
} from '@nats-io/transport-node';
// The client has no other option for a transport that is Node's in all but one thing.
import { nodeResolveHost, NodeTransport } from '@nats-io/transport-node/lib/node_transport.js';

/**
 * Sends together what the callbacks of one pass through the event loop publish. The client itself writes once per
 * microtask: nine small writes per turn, each of which wakes the server, where three do. Order stays, and a close
 * still sends what waits. A loop that has nothing else to do delays nothing.
 *
 * Reaches into the client, so it has to be worth it: without it a turn takes 13 % more processor time (median of nine
 * pairs of `npm run bench -- turns` on Node 24), and nats-server's part of it is 1.8 times as much, more in all nine.
 */
class GatheringTransport extends NodeTransport {
  private isGathering = false;

  override send(frame: Uint8Array): void {
    if (!this.isGathering && !this.isClosed) {
      this.isGathering = true;
      this.socket.cork();
      setImmediate(() => this.sendGathered());
    }
    super.send(frame);
  }

  /** The client's own close throws away what its socket still holds. */
  override close(error?: Error): Promise<void> {
    this.sendGathered();
    return super.close(error);
  }

  private sendGathered(): void {
    if (this.isGathering && !this.isClosed) this.socket.uncork();
    this.isGathering = false;
  }
}

/** As the client's `connect`, over that transport. */
export function connectGathering(options: NodeConnectionOptions): Promise<NatsConnection> {
  setTransportFactory({ factory: () => new GatheringTransport(), dnsResolveFn: nodeResolveHost });
  return NatsConnectionImpl.connect(options);
}
