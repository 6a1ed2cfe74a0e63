import { Bus, ServiceGauges } from '#lib/bus';
import { Database } from '#lib/database';
import { LiveGauge } from '#lib/observability';
import { Injectable } from '@nestjs/common';
import { lagSeconds } from '../schedules/schedules.repository.js';

const lag = new LiveGauge('roost_schedule_lag_seconds', 'How long the schedule has been due that has not fired yet');

/** Shows how far firing is behind, by the index of what is due. */
@Injectable()
export class FiringMetrics extends ServiceGauges {
  constructor(
    bus: Bus,
    private readonly database: Database,
  ) {
    super(bus);
  }

  protected readings(): ReturnType<ServiceGauges['readings']> {
    return [[lag, () => lagSeconds(this.database)]];
  }
}
