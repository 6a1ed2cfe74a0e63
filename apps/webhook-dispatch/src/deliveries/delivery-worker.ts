import { CONFIG, LOGGER } from '#lib/bus';
import { Database } from '#lib/database';
import { guardedDispatcher, type GuardPolicy } from '#lib/net-guard';
import type { Logger } from '#lib/observability';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config.js';
import { EndpointSecrets } from '../endpoints/endpoint-secrets.js';
import { POLICY } from '../policy.js';
import { CLAIM_BATCH, claimDeliveries, type ClaimedDelivery, LEASE_MS, releaseDeliveries } from './claim-deliveries.js';
import { OutcomeRecorder } from './outcome-recorder.js';
import { sendDelivery } from './send-delivery.js';

const POLL_MS = 1_000;
/** Claimed ahead, so that a fast receiver does not wait for a claim between two deliveries. */
const AHEAD = 4;
/** A delivery is begun only if it can end, and be recorded, within its lease. */
const LAST_START_MS = LEASE_MS - 30_000;
const STOP_GRACE_MS = 2_000;

/** One endpoint's queue in this process. */
interface Queue {
  waiting: { delivery: ClaimedDelivery; claimedAt: number }[];
  open: Set<ClaimedDelivery>;
}

/**
 * Claims, sends and records deliveries. Each endpoint has its own queue and its own limit of open requests, so that a
 * receiver that hangs delays nobody else. A kick makes new deliveries go out at once; without any it polls each second.
 */
@Injectable()
export class DeliveryWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly queues = new Map<string, Queue>();
  private readonly dispatcher;
  private readonly recorder: OutcomeRecorder;
  private timer: NodeJS.Timeout | undefined;
  private claiming: Promise<void> | undefined;
  private isKicked = false;
  private isStopped = true;

  constructor(
    private readonly database: Database,
    private readonly secrets: EndpointSecrets,
    @Inject(POLICY) private readonly policy: GuardPolicy,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.dispatcher = guardedDispatcher(policy, { keepAliveTimeout: 10_000 });
    this.recorder = new OutcomeRecorder(database, logger);
  }

  onApplicationBootstrap(): void {
    this.isStopped = false;
    this.kick();
  }

  /** Looks for due deliveries now, or right after the look that is under way. */
  kick(): void {
    if (this.isStopped) return;
    this.isKicked = true;
    this.claiming ??= this.claimWhileKicked().finally(() => {
      this.claiming = undefined;
      if (this.isStopped) return;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.kick(), POLL_MS * (0.8 + 0.4 * Math.random()));
    });
  }

  private async claimWhileKicked(): Promise<void> {
    while (this.isKicked && !this.isStopped) {
      this.isKicked = false;
      try {
        await this.claim();
      } catch (error) {
        this.logger.error({ err: error }, 'webhook deliveries could not be claimed; trying again');
        return;
      }
    }
  }

  private async claim(): Promise<void> {
    const room = this.config.ROOST_WEBHOOK_CONCURRENCY * AHEAD;
    const roomOf = new Map<string, number>();
    for (const [id, queue] of this.queues) roomOf.set(id, Math.max(0, room - queue.waiting.length - queue.open.size));
    const claimedAt = performance.now();
    const claimed = await claimDeliveries(this.database, roomOf, room);
    for (const delivery of claimed) {
      const queue = this.queues.get(delivery.endpoint_id) ?? { waiting: [], open: new Set() };
      this.queues.set(delivery.endpoint_id, queue);
      queue.waiting.push({ delivery, claimedAt });
      this.advance(delivery.endpoint_id, queue);
    }
    // Every queue got what it has room for, unless the claim itself was full. Many small claims would cost more than they bring.
    if (claimed.length >= CLAIM_BATCH) this.isKicked = true;
  }

  /** Begins what the endpoint's limit allows. */
  private advance(endpointId: string, queue: Queue): void {
    while (!this.isStopped && queue.open.size < this.config.ROOST_WEBHOOK_CONCURRENCY) {
      const next = queue.waiting.shift();
      if (!next) break;
      if (performance.now() - next.claimedAt > LAST_START_MS) continue;
      queue.open.add(next.delivery);
      void this.send(endpointId, queue, next.delivery);
    }
    if (queue.open.size === 0 && queue.waiting.length === 0) this.queues.delete(endpointId);
  }

  private async send(endpointId: string, queue: Queue, delivery: ClaimedDelivery): Promise<void> {
    const outcome = await sendDelivery(delivery, this.secrets, this.policy, this.dispatcher);
    // What was cut off by the shutdown says nothing of the receiver; `beforeApplicationShutdown` gives it back.
    if (this.isStopped && outcome.responseStatus === null) return;
    queue.open.delete(delivery);
    this.recorder.add(outcome);
    this.advance(endpointId, queue);
    if (queue.waiting.length < this.config.ROOST_WEBHOOK_CONCURRENCY) this.kick();
  }

  /** Lets open requests end for a moment, then cuts them off; what is not done is for the next worker at once. */
  async beforeApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    await this.claiming;
    const open = () => [...this.queues.values()].flatMap((queue) => [...queue.open]);
    for (const deadline = Date.now() + STOP_GRACE_MS; open().length > 0 && Date.now() < deadline;) await sleep(20);
    await this.dispatcher.destroy();
    await this.recorder.drain();
    const untried = [...this.queues.values()].flatMap((queue) => queue.waiting.map(({ delivery }) => delivery));
    await releaseDeliveries(this.database, [...untried, ...open()]);
  }
}
