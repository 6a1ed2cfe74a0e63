import { Bus, ServiceGauges } from '#lib/bus';
import { Database } from '#lib/database';
import { Counter, LiveGauge } from '#lib/observability';
import { Injectable } from '@nestjs/common';
import { countOf, oldestReadySeconds } from './turns.repository.js';

const pending = new LiveGauge('roost_messages_pending', 'Messages that wait for a turn, those of paused agents too');
const running = new LiveGauge('roost_turns_running', 'Turns that a worker holds');
const expired = new LiveGauge(
  'roost_turns_lease_expired',
  'Turns whose worker fell silent and that nobody took over yet',
);
const oldest = new LiveGauge(
  'roost_messages_oldest_age_seconds',
  'How long the agent has waited that has been ready for a turn longest',
);

/** A turn's end as its worker reports it, or the sweep that takes it from a lost one. */
export type TurnOutcome = 'completed' | 'failed' | 'retried' | 'interrupted' | 'released' | 'expired' | 'suspended';

const ends = new Counter({
  name: 'roost_turns_ended_total',
  help: 'Turns that ended, by how',
  labelNames: ['outcome'],
});

export const countEnd = (outcome: TurnOutcome): void => ends.inc({ outcome });

/** Shows what waits and what runs, counted by partial indexes: the cost grows with the backlog, not with the history. */
@Injectable()
export class QueueMetrics extends ServiceGauges {
  constructor(
    bus: Bus,
    private readonly database: Database,
  ) {
    super(bus);
  }

  protected readings(): ReturnType<ServiceGauges['readings']> {
    return [
      [pending, () => countOf(this.database, 'pending')],
      [running, () => countOf(this.database, 'running')],
      [expired, () => countOf(this.database, 'expired')],
      [oldest, () => oldestReadySeconds(this.database)],
    ];
  }
}
