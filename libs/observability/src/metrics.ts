import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { collectDefaultMetrics, Gauge, register } from 'prom-client';

export { Counter, Gauge, Histogram } from 'prom-client';

export interface MetricsServer {
  url: string;
  stop(): Promise<void>;
}

let isCollecting = false;

/**
 * Serves this process's metrics at `/metrics` in Prometheus' format, on a port of its own: who may scrape is another
 * question than who may call the API. Nothing is served anywhere else on it. Errors: when the port is taken.
 */
export async function serveMetrics(port: number, host: string): Promise<MetricsServer> {
  if (!isCollecting) collectDefaultMetrics();
  isCollecting = true;
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url?.split('?')[0] !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    register.metrics().then(
      (text) => response.writeHead(200, { 'content-type': register.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  server.unref();
  const { address, family, port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}/metrics`,
    stop: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
}

/** Gives a service's number as it is now. What it throws leaves the number out of this reading of the metrics. */
type Reading = () => Promise<number>;

/**
 * A number that is looked up whenever the metrics are read, by service: a count of rows stays right through crashes,
 * where one kept in memory would not. Replicas that share their rows report the same number: take the maximum of them.
 */
export class LiveGauge {
  private readonly readings = new Map<string, Reading>();

  constructor(name: string, help: string) {
    const { readings } = this;
    new Gauge({
      name,
      help,
      labelNames: ['service'],
      async collect() {
        this.reset();
        await Promise.all(
          [...readings].map(async ([service, read]) => {
            const value = await read().catch(() => undefined);
            if (value !== undefined) this.set({ service }, value);
          }),
        );
      },
    });
  }

  /** Gives the function that ends it. */
  measure(service: string, read: Reading): () => void {
    this.readings.set(service, read);
    return () => {
      if (this.readings.get(service) === read) this.readings.delete(service);
    };
  }
}
