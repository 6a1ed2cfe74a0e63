import { Bus } from '#lib/bus';
import { Database } from '#lib/database';
import { LiveGauge } from '#lib/observability';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { openDeliveries } from './deliveries.repository.js';

const waiting = new LiveGauge('roost_channel_deliveries_waiting', 'Parts of replies that wait to be shown in a chat');
const oldest = new LiveGauge(
  'roost_channel_oldest_due_age_seconds',
  'How long the part has been due that waits longest',
);

/** Shows what waits for chat platforms, by an index of what is open. */
@Injectable()
export class DeliveryMetrics implements OnApplicationBootstrap, OnApplicationShutdown {
  private ends: (() => void)[] = [];

  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
  ) {}

  onApplicationBootstrap(): void {
    this.ends = [
      waiting.measure(this.bus.service, async () => (await openDeliveries(this.database)).count),
      oldest.measure(this.bus.service, async () => (await openDeliveries(this.database)).dueSeconds),
    ];
  }

  onApplicationShutdown(): void {
    for (const end of this.ends) end();
  }
}
