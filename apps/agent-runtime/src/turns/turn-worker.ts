import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { runTurn } from './run-turn.js';
import type { TurnRunner } from './turn-runner.js';
import { WorkerPool } from './worker-pool.js';

const POLL_MS = 1_000;

/** Runs turns for as long as the service runs. */
export class TurnWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly pool: WorkerPool;

  constructor(
    private readonly runner: TurnRunner,
    slots: { maxTurns: number; accountTurns: number | undefined },
    private readonly graceMs: number,
  ) {
    const workerId = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
    this.pool = new WorkerPool(
      runner.bus,
      { workerId, ...slots, pollMs: POLL_MS, run: (turn, abort) => runTurn(runner, turn, abort) },
      runner.logger,
    );
  }

  onApplicationBootstrap(): void {
    this.pool.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.pool.stop(this.graceMs);
    await this.runner.mcp.pool.stop();
  }
}
