import { Bus, ServiceGauges } from '#lib/bus';
import { Database } from '#lib/database';
import { LiveGauge } from '#lib/observability';
import { Injectable } from '@nestjs/common';
import { openDeliveries } from './deliveries.repository.js';

const waiting = new LiveGauge('roost_channel_deliveries_waiting', 'Parts of replies that wait to be shown in a chat');
const oldest = new LiveGauge(
  'roost_channel_oldest_due_age_seconds',
  'How long the part has been due that waits longest',
);

/** Shows what waits for chat platforms, by an index of what is open. */
@Injectable()
export class DeliveryMetrics extends ServiceGauges {
  private looking: ReturnType<typeof openDeliveries> | undefined;

  constructor(
    bus: Bus,
    private readonly database: Database,
  ) {
    super(bus);
  }

  protected readings(): ReturnType<ServiceGauges['readings']> {
    return [
      [waiting, async () => (await this.look()).count],
      [oldest, async () => (await this.look()).dueSeconds],
    ];
  }

  /** One look for both: they are read side by side. */
  private look(): ReturnType<typeof openDeliveries> {
    return (this.looking ??= openDeliveries(this.database).finally(() => (this.looking = undefined)));
  }
}
