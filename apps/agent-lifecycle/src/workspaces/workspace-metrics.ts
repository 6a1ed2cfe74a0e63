import { Bus, CONFIG } from '#lib/bus';
import { Database } from '#lib/database';
import { LiveGauge } from '#lib/observability';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { statfs } from 'node:fs/promises';
import type { LifecycleConfig } from '../config.js';
import { countAllAwake } from './awake-leases.repository.js';

const awake = new LiveGauge('roost_workspaces_awake', 'Workspaces that are awake');
const free = new LiveGauge('roost_data_free_bytes', "Free space of the disk that holds the agents' volumes");
const size = new LiveGauge('roost_data_size_bytes', "Size of the disk that holds the agents' volumes");

/** Shows how many workspaces are awake, and what their disk has left; of volumes elsewhere (Kubernetes) the cluster tells. */
@Injectable()
export class WorkspaceMetrics implements OnApplicationBootstrap, OnApplicationShutdown {
  private ends: (() => void)[] = [];

  constructor(
    private readonly bus: Bus,
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: LifecycleConfig,
  ) {}

  onApplicationBootstrap(): void {
    const { service } = this.bus;
    const disk = () => statfs(this.config.ROOST_DATA_DIR);
    this.ends = [
      awake.measure(service, () => countAllAwake(this.database)),
      free.measure(service, async () => {
        const { bavail, bsize } = await disk();
        return bavail * bsize;
      }),
      size.measure(service, async () => {
        const { blocks, bsize } = await disk();
        return blocks * bsize;
      }),
    ];
  }

  onApplicationShutdown(): void {
    for (const end of this.ends) end();
  }
}
