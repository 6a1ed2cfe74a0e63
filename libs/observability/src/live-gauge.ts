import { Gauge } from 'prom-client';

/** Gives a service's number as it is now. What it throws leaves the number out of this look at the metrics. */
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
