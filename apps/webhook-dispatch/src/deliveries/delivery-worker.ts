import { Bus, CONFIG, LOGGER } from '#lib/bus';
import { Database } from '#lib/database';
import { FairSlots } from '#lib/fair-slots';
import { guardedDispatcher, type GuardPolicy } from '#lib/net-guard';
import type { Logger } from '#lib/observability';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Config, POLICY } from '../config.js';
import { EndpointSecrets } from '../endpoints/endpoint-secrets.js';
import { AccountLoad } from './account-load.js';
import { OutcomeRecorder } from './outcome-recorder.js';
import { CLAIM_BATCH, claimDeliveries, type ClaimedDelivery, LEASE_MS, queueDueRetries } from './claims.repository.js';
import { releaseDeliveries } from './queue.repository.js';
import { type Outcome, sendDelivery } from './send-delivery.js';
import { countAttempt } from './delivery-metrics.js';
import { tracedDelivery } from './delivery-spans.js';

const POLL_MS = 1_000;
/** Claimed ahead, so that a fast receiver does not wait for a claim between two deliveries. */
const AHEAD = 4;
/** A delivery is begun only if it can end, and be recorded, within its lease. */
const LAST_START_MS = LEASE_MS - 30_000;
const STOP_GRACE_MS = 2_000;
/** Open requests, in terms of endpoints that have all open which they may: an account's by default, and all accounts'. */
const ACCOUNT_ENDPOINTS = 20;
const ALL_ENDPOINTS = 50;

/** One endpoint's queue in this process. */
interface Queue {
  accountId: string;
  waiting: { delivery: ClaimedDelivery; claimedAt: number }[];
  /** Requests that are open or wait for a slot of the account's. */
  open: Set<ClaimedDelivery>;
  /** The last claim found fewer than it had capacity for: there is nothing to claim until it is asked to run, or polls. */
  isDrained: boolean;
}

/**
 * Claims, sends and records deliveries. Each endpoint has its own queue and its own limit of open requests, and each
 * account has one of all its endpoints' together, so that receivers that hang delay nobody else. `runSoon` makes new
 * deliveries go out at once; without any it polls each second.
 */
@Injectable()
export class DeliveryWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly queues = new Map<string, Queue>();
  private readonly dispatcher;
  private readonly recorder: OutcomeRecorder;
  private readonly slots: FairSlots;
  private readonly accounts: AccountLoad;
  private timer: NodeJS.Timeout | undefined;
  private claiming: Promise<void> | undefined;
  private isAskedToRun = false;
  private isStopped = true;

  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
    private readonly secrets: EndpointSecrets,
    @Inject(POLICY) private readonly policy: GuardPolicy,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.dispatcher = guardedDispatcher(policy, { keepAliveTimeout: 10_000 });
    this.recorder = new OutcomeRecorder(database, logger);
    const each = config.ROOST_WEBHOOK_CONCURRENCY;
    const perAccount = Math.max(each, config.ROOST_ACCOUNT_WEBHOOK_CONCURRENCY ?? each * ACCOUNT_ENDPOINTS);
    // What waits for a slot has been claimed, and is bounded by that.
    this.slots = new FairSlots({
      slots: Math.max(each * ALL_ENDPOINTS, perAccount * 2),
      perAccount,
      maxWaiting: Infinity,
    });
    this.accounts = new AccountLoad(perAccount * AHEAD, each);
  }

  onApplicationBootstrap(): void {
    this.isStopped = false;
    this.runSoon();
  }

  /** Claims due deliveries now, or right after the claim that is under way. */
  runSoon(): void {
    if (this.isStopped) return;
    this.isAskedToRun = true;
    this.claiming ??= this.claimWhileNeeded();
  }

  /** Releases what was claimed ahead for an agent that is deleted; what is being sent ends as it does. */
  dropWaiting(agentId: string): void {
    const dropped: ClaimedDelivery[] = [];
    for (const queue of this.queues.values()) {
      const isOther = ({ agent_id }: ClaimedDelivery) => agent_id !== agentId;
      const gone = queue.waiting.map(({ delivery }) => delivery).filter((delivery) => !isOther(delivery));
      for (const { account_id } of gone) this.accounts.done(account_id);
      dropped.push(...gone);
      queue.waiting = queue.waiting.filter(({ delivery }) => isOther(delivery));
    }
    // Without it their leases end, and `agent.deleted` goes out then.
    releaseDeliveries(this.database, dropped)
      .then(() => this.runSoon())
      .catch((error: unknown) => this.logger.error({ err: error, agentId }, 'webhooks could not be cancelled at once'));
  }

  private async claimWhileNeeded(): Promise<void> {
    clearTimeout(this.timer);
    do {
      this.isAskedToRun = false;
      try {
        await this.claim();
      } catch (error) {
        this.logger.error({ err: error }, 'webhook deliveries could not be claimed; trying again');
        break;
      }
    } while (!this.isStopped && (this.isAskedToRun || this.shouldClaim()));
    // In the same pass of the event loop as the check of the queues: whichever becomes low from here on begins the next claim.
    this.claiming = undefined;
    if (!this.isStopped) this.timer = setTimeout(() => this.runSoon(), POLL_MS * (0.8 + 0.4 * Math.random()));
  }

  private async claim(): Promise<void> {
    const most = this.config.ROOST_WEBHOOK_CONCURRENCY * AHEAD;
    const capacityOf = new Map<string, number>();
    for (const [id, queue] of this.queues)
      capacityOf.set(id, Math.max(0, most - queue.waiting.length - queue.open.size));
    await queueDueRetries(this.database);
    const claimedAt = performance.now();
    const request = { endpoints: { of: capacityOf, default: most }, ...this.accounts.request() };
    const claimed = await claimDeliveries(this.database, request);
    const foundOf = new Map<string, number>();
    for (const delivery of claimed) {
      const id = delivery.endpoint_id;
      const queue = this.queues.get(id) ?? newQueue(delivery.account_id);
      this.queues.set(id, queue);
      queue.waiting.push({ delivery, claimedAt });
      foundOf.set(id, (foundOf.get(id) ?? 0) + 1);
    }
    // A full claim ended before it had come to every queue, and does not show how much is left.
    const isFull = claimed.length >= CLAIM_BATCH;
    if (isFull) this.isAskedToRun = true;
    this.accounts.claimed(claimed, request.accounts, isFull);
    for (const [id, queue] of this.queues) {
      const hasAll = !isFull && !this.accounts.mayHaveMore(queue.accountId);
      queue.isDrained = hasAll && (foundOf.get(id) ?? 0) < (capacityOf.get(id) ?? most);
      this.advance(id, queue);
    }
  }

  /** Begins what the endpoint's limit allows. */
  private advance(endpointId: string, queue: Queue): void {
    while (!this.isStopped && queue.open.size < this.config.ROOST_WEBHOOK_CONCURRENCY) {
      const next = queue.waiting.shift();
      if (!next) break;
      queue.open.add(next.delivery);
      void this.send(endpointId, queue, next);
    }
    if (queue.isDrained && queue.open.size === 0 && queue.waiting.length === 0) this.queues.delete(endpointId);
  }

  private async send(endpointId: string, queue: Queue, claimed: Queue['waiting'][number]): Promise<void> {
    const outcome = await this.slots.run(queue.accountId, () => this.sendInTime(claimed));
    // What was cut off by the shutdown shows nothing of the receiver; `beforeApplicationShutdown` gives it back.
    if (this.isStopped && outcome && outcome.responseStatus === null) return;
    if (this.isStopped && !outcome) queue.waiting.push(claimed);
    queue.open.delete(claimed.delivery);
    this.accounts.done(queue.accountId);
    if (outcome) {
      countAttempt(outcome);
      this.recorder.add(outcome);
    }
    this.advance(endpointId, queue);
    // The claim that is under way checks the queues itself when it has filled them.
    if (!this.claiming && (this.isLow(queue) || this.accounts.shouldClaim())) this.runSoon();
  }

  /** Nothing if it waited for so long that its lease might end before its request, or until the shutdown. */
  private async sendInTime({ delivery, claimedAt }: Queue['waiting'][number]): Promise<Outcome | undefined> {
    if (this.isStopped || performance.now() - claimedAt > LAST_START_MS) return undefined;
    return tracedDelivery(this.bus.tracer, delivery, (traceparent) =>
      sendDelivery(delivery, this.secrets, this.policy, this.dispatcher, traceparent),
    );
  }

  private shouldClaim(): boolean {
    return this.accounts.shouldClaim() || [...this.queues.values()].some((queue) => this.isLow(queue));
  }

  /** Its receiver may soon have to wait for a claim. Many small claims would cost more than they bring. */
  private isLow(queue: Queue): boolean {
    const isShort = !queue.isDrained && queue.waiting.length < this.config.ROOST_WEBHOOK_CONCURRENCY;
    return isShort && this.accounts.hasCapacity(queue.accountId);
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

function newQueue(accountId: string): Queue {
  return { accountId, waiting: [], open: new Set(), isDrained: false };
}
