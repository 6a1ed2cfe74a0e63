import { Bus, ServiceGauges } from '#lib/bus';
import { Database } from '#lib/database';
import { Counter, LiveGauge } from '#lib/observability';
import { Injectable } from '@nestjs/common';
import { oldestDueSeconds, waitingDeliveries } from './queue.repository.js';
import type { Outcome } from './send-delivery.js';

const waiting = new LiveGauge(
  'roost_webhook_deliveries_waiting',
  'Webhook deliveries that wait to be sent, or sent again',
);
const oldest = new LiveGauge(
  'roost_webhook_oldest_due_age_seconds',
  'How long the delivery has been due that waits longest',
);
const attempts = new Counter({
  name: 'roost_webhook_attempts_total',
  help: 'Tries to send a webhook, by what came of them',
  labelNames: ['outcome'],
});

/** `pending` is a try that failed and is followed by another. */
export const countAttempt = ({ status }: Pick<Outcome, 'status'>): void =>
  attempts.inc({ outcome: status === 'pending' ? 'failed' : status });

/** Shows what waits, by the queue's own rows. */
@Injectable()
export class DeliveryMetrics extends ServiceGauges {
  constructor(
    bus: Bus,
    private readonly database: Database,
  ) {
    super(bus);
  }

  protected readings(): ReturnType<ServiceGauges['readings']> {
    return [
      [waiting, () => waitingDeliveries(this.database)],
      [oldest, () => oldestDueSeconds(this.database)],
    ];
  }
}
