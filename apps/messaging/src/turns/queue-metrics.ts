import { Bus } from '#lib/bus';
import { Database } from '#lib/database';
import { Counter, LiveGauge } from '#lib/observability';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { countOf, oldestReadySeconds } from './turns.repository.js';

const gauges = {
  pending: new LiveGauge('roost_messages_pending', 'Messages that wait for a turn, those of paused agents too'),
  running: new LiveGauge('roost_turns_running', 'Turns that a worker holds'),
  expired: new LiveGauge('roost_turns_lease_expired', 'Turns whose worker fell silent and that nobody took over yet'),
};

const oldest = new LiveGauge(
  'roost_messages_oldest_age_seconds',
  'How long the agent has waited that has been ready for a turn longest',
);

/** A turn's end as its worker reports it, or the sweep that takes it from a lost one. */
export type TurnOutcome = 'completed' | 'failed' | 'retried' | 'interrupted' | 'released' | 'expired';

const ends = new Counter({
  name: 'roost_turns_ended_total',
  help: 'Turns that ended, by how',
  labelNames: ['outcome'],
});

export const countEnd = (outcome: TurnOutcome): void => ends.inc({ outcome });

/** Shows what waits and what runs, counted by partial indexes: the cost grows with the backlog, not with the history. */
@Injectable()
export class QueueMetrics implements OnApplicationBootstrap, OnApplicationShutdown {
  private ends: (() => void)[] = [];

  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
  ) {}

  onApplicationBootstrap(): void {
    this.ends = Object.entries(gauges).map(([what, gauge]) =>
      gauge.measure(this.bus.service, () => countOf(this.database, what as keyof typeof gauges)),
    );
    this.ends.push(oldest.measure(this.bus.service, () => oldestReadySeconds(this.database)));
  }

  onApplicationShutdown(): void {
    for (const end of this.ends) end();
  }
}
