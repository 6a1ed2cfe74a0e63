import { Bus, CONFIG, ServiceGauges } from '#lib/bus';
import { Database } from '#lib/database';
import { LiveGauge } from '#lib/observability';
import { Inject, Injectable } from '@nestjs/common';
import { statfs } from 'node:fs/promises';
import type { LifecycleConfig } from '../config.js';
import { countAllAwake } from './awake-leases.repository.js';

const awake = new LiveGauge('roost_workspaces_awake', 'Workspaces that are awake');
const free = new LiveGauge('roost_data_free_bytes', "Free space of the disk that holds the agents' volumes");
const size = new LiveGauge('roost_data_size_bytes', "Size of the disk that holds the agents' volumes");

/** Shows how many workspaces are awake, and what their disk has left; of volumes elsewhere (Kubernetes) the cluster tells. */
@Injectable()
export class WorkspaceMetrics extends ServiceGauges {
  constructor(
    bus: Bus,
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: LifecycleConfig,
  ) {
    super(bus);
  }

  protected readings(): ReturnType<ServiceGauges['readings']> {
    const disk = () => statfs(this.config.ROOST_DATA_DIR);
    return [
      [awake, () => countAllAwake(this.database)],
      [free, () => disk().then(({ bavail, bsize }) => bavail * bsize)],
      [size, () => disk().then(({ blocks, bsize }) => blocks * bsize)],
    ];
  }
}
