import type { LiveGauge } from '#lib/observability';
import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import type { Bus } from './bus.js';

/** Shows numbers of a service, looked up whenever the metrics are read, for as long as it runs. */
export abstract class ServiceGauges implements OnApplicationBootstrap, OnApplicationShutdown {
  private ends: (() => void)[] = [];

  constructor(private readonly bus: Bus) {}

  protected abstract readings(): [gauge: LiveGauge, read: () => Promise<number>][];

  onApplicationBootstrap(): void {
    this.ends = this.readings().map(([gauge, read]) => gauge.measure(this.bus.service, read));
  }

  onApplicationShutdown(): void {
    for (const end of this.ends) end();
  }
}
