import { Bus } from '#lib/bus';
import { Database } from '#lib/database';
import { LiveGauge } from '#lib/observability';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { lagSeconds } from '../schedules/schedules.repository.js';

const lag = new LiveGauge('roost_schedule_lag_seconds', 'How long the schedule has been due that has not fired yet');

/** Shows how far firing is behind, by the index of what is due. */
@Injectable()
export class FiringMetrics implements OnApplicationBootstrap, OnApplicationShutdown {
  private end = () => undefined as void;

  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
  ) {}

  onApplicationBootstrap(): void {
    this.end = lag.measure(this.bus.service, () => lagSeconds(this.database));
  }

  onApplicationShutdown(): void {
    this.end();
  }
}
