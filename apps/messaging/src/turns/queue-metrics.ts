import { Bus } from '#lib/bus';
import { Database } from '#lib/database';
import { LiveGauge } from '#lib/observability';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';

const gauges = {
  pending: {
    gauge: new LiveGauge('roost_messages_pending', 'Messages that wait for a turn, those of paused agents too'),
    rows: `messages WHERE status = 'pending'`,
  },
  running: {
    gauge: new LiveGauge('roost_turns_running', 'Turns that a worker holds'),
    rows: `turns WHERE state = 'running'`,
  },
  expired: {
    gauge: new LiveGauge('roost_turns_lease_expired', 'Turns whose worker fell silent and that nobody took over yet'),
    rows: `turns WHERE state = 'running' AND lease_until < clock_timestamp()`,
  },
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
    this.ends = Object.values(gauges).map(({ gauge, rows }) =>
      gauge.measure(this.bus.service, async () => {
        const [row] = await this.database.query<{ count: string }>(`SELECT count(*) FROM ${rows}`);
        return Number(row?.count ?? 0);
      }),
    );
  }

  onApplicationShutdown(): void {
    for (const end of this.ends) end();
  }
}
