import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { collectDefaultMetrics, Gauge, register } from 'prom-client';

export { Counter, Gauge, Histogram } from 'prom-client';

export interface MetricsServer {
  url: string;
  stop(): Promise<void>;
}

/** A reading that takes longer is left out: Prometheus waits ten seconds, and then has no metrics of the process at all. */
const READING_MS = 3_000;

let isCollecting = false;

/**
 * Serves this process's metrics at `/metrics` in Prometheus' format, on a port of its own: who may scrape is another
 * question than who may call the API. For probes there are `/live`, 200 for as long as the process runs, whatever it
 * depends on, and `/ready`, 200 or 503 by `isReady`. Errors: when the port is taken.
 */
export async function serveMetrics(
  port: number,
  host: string,
  isReady: () => Promise<boolean>,
): Promise<MetricsServer> {
  if (!isCollecting) collectDefaultMetrics();
  isCollecting = true;
  const server = createServer((request, response) => {
    const end = (status: number) => void response.writeHead(status).end();
    const path = request.method === 'GET' ? request.url?.split('?')[0] : undefined;
    if (path === '/live') end(200);
    else if (path === '/ready')
      isReady().then(
        (is) => end(is ? 200 : 503),
        () => end(503),
      );
    else if (path === '/metrics')
      register.metrics().then(
        (text) => response.writeHead(200, { 'content-type': register.contentType }).end(text),
        () => end(500),
      );
    else end(404);
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

/** Gives a service's number as it is now. Where it fails, or takes long, the number is left out of the metrics. */
type Reading = () => Promise<number>;

/**
 * A number that is looked up whenever the metrics are read, by service: a count of rows stays right through crashes,
 * where one kept in memory would not. Replicas that share their rows report the same number: take the maximum of them.
 */
export class LiveGauge {
  private readonly readings = new Map<string, () => Promise<number | undefined>>();

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
            const value = await read();
            if (value !== undefined) this.set({ service }, value);
          }),
        );
      },
    });
  }

  /** Gives the function that ends it. */
  measure(service: string, read: Reading): () => void {
    const reading = inTime(read);
    this.readings.set(service, reading);
    return () => {
      if (this.readings.get(service) === reading) this.readings.delete(service);
    };
  }
}

/** One that still runs is waited for again, not begun beside: a database that hangs gets no more statements by it. */
function inTime(read: Reading): () => Promise<number | undefined> {
  let running: Promise<number | undefined> | undefined;
  return () => {
    running ??= read()
      .catch(() => undefined)
      .finally(() => (running = undefined));
    return Promise.race([running, sleep(READING_MS, undefined, { ref: false })]);
  };
}
