import { Bus } from '#lib/bus';
import { Database } from '#lib/database';
import { LiveGauge } from '#lib/observability';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { countOf } from './turns.repository.js';

const gauges = {
  pending: new LiveGauge('roost_messages_pending', 'Messages that wait for a turn, those of paused agents too'),
  running: new LiveGauge('roost_turns_running', 'Turns that a worker holds'),
  expired: new LiveGauge('roost_turns_lease_expired', 'Turns whose worker fell silent and that nobody took over yet'),
};

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
  }

  onApplicationShutdown(): void {
    for (const end of this.ends) end();
  }
}
