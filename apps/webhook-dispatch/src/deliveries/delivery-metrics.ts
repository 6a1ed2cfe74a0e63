import { Bus } from '#lib/bus';
import { Database } from '#lib/database';
import { Counter, LiveGauge } from '#lib/observability';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
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
export class DeliveryMetrics implements OnApplicationBootstrap, OnApplicationShutdown {
  private ends: (() => void)[] = [];

  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
  ) {}

  onApplicationBootstrap(): void {
    this.ends = [
      waiting.measure(this.bus.service, () => waitingDeliveries(this.database)),
      oldest.measure(this.bus.service, () => oldestDueSeconds(this.database)),
    ];
  }

  onApplicationShutdown(): void {
    for (const end of this.ends) end();
  }
}
