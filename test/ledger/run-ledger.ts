import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ownedFolder, removeFolder, TelegramPlatform, until } from '#lib/testing';
import pg from 'pg';
import { checkRecord, type Verdict } from './check/check-record.js';
import { findFaketime } from './faults/clock-steps.js';
import type { FaultClass, WholeContext } from './faults/fault-class.js';
import { ChatLoad } from './load/chat-load.js';
import { Client } from './load/client.js';
import { FileLoad } from './load/file-load.js';
import { LedgerModel } from './load/ledger-model.js';
import { MessageLoad } from './load/message-load.js';
import { SlotLoad } from './load/slot-load.js';
import { WebhookLoad } from './load/webhook-load.js';
import { randomFrom } from './random.js';
import { readRecord, Record } from './record.js';
import { type Build, buildOf, previousRevision, thisBuild } from './roost/builds.js';
import { Disk } from './roost/disk.js';
import { RoostUnderTest } from './roost/roost-under-test.js';
import { planFaults, runPlan } from './run-plan.js';
import { ANSWER_MS, FINISH_MS, LEASE_MS, SILENCE_SECONDS, STUCK_MS } from './timing.js';

export interface RunOptions {
  seed: number;
  counts: Map<FaultClass, number>;
  /** Over which the faults are spread; the load goes on until the last of them is over. */
  durationMs: number;
  messagesPerSecond: number;
  agents: number;
  /** Part of the model's answers that go wrong in one way or another. */
  misbehaviourRate: number;
  /** Whether the leases of killed dispatchers are ended, which would take two minutes. */
  isQuick: boolean;
  /** For a positive control. */
  build?: Build | undefined;
  previous?: Build | undefined;
  postgres?: { [setting: string]: string } | undefined;
  finishMs?: number | undefined;
  log(line: string): void;
}

export interface RunResult {
  verdict: Verdict;
  seconds: number;
  /** What the misbehaving model counted. */
  model: { requests: number; disturbed: number };
  /** Of event streams, by Last-Event-ID. */
  reconnects: number;
  /** Resident memory of each service's processes together, in MB, after the start and at the end. */
  memory: { service: string; before: number; after: number }[];
}

/** Sparse. NATS gives its streams a part of what is free: an hour of messages must leave room. */
const DISK_MB = 16_000;
const FILE_AGENTS = 3;
const FILE_EVERY_MS = 3_000;
const CHATS = 3;
const CHAT_EVERY_MS = 2_500;
/** Longer than a model may say nothing: what is under way then ends. */
const STILL_MS = (SILENCE_SECONDS + 1) * 1_000;
const BOOKS_MS = 60_000;
/** So many messages are accepted before a fault that shall meet some. */
const LOADED_MESSAGES = 10;
const LOADED_MS = 60_000;

/**
 * Loads a Roost from outside, makes the faults of the seed's plan, lets it finish and checks the client's record. The record
 * and the services' log are kept where ROOST_LEDGER_KEEP names a folder. Errors: Roost that did not start or come back.
 */
export async function runLedger(options: RunOptions): Promise<RunResult> {
  const startedAt = Date.now();
  const folder = ownedFolder();
  const record = new Record(join(folder, 'record.jsonl'));
  const random = randomFrom(options.seed);
  const model = await LedgerModel.start({
    ...options,
    answerMs: ANSWER_MS,
    random: randomFrom(options.seed + 1),
    record,
  });
  const telegram = await TelegramPlatform.start();
  const disk = Disk.missing() === undefined ? await Disk.make(folder, DISK_MB) : undefined;
  try {
    const build = options.build ?? thisBuild();
    const stepsClocks = [...options.counts].some(([{ name }, count]) => name === 'clock-steps' && count > 0);
    const roost = await RoostUnderTest.start({
      ...{ folder, build, disk, log: options.log },
      faketime: stepsClocks ? await findFaketime() : undefined,
      env: {
        ...model.env,
        ROOST_MODEL_SILENCE_SECONDS: String(SILENCE_SECONDS),
        ROOST_MODEL_RETRY_MS: '100',
        ROOST_RETRY_BASE_MS: '200',
        ROOST_LEASE_MS: String(LEASE_MS),
        ROOST_RATE_LIMIT_PER_MINUTE: '1000000',
        SCHEDULE_MIN_INTERVAL_SECONDS: '1',
        TELEGRAM_API_BASE_URL: telegram.url,
        TELEGRAM_UPDATES: 'polling',
      },
    });
    try {
      const load = new WholeLoad(roost, record, telegram, model, options);
      await setPostgres(roost.databaseUrl, options.postgres ?? {});
      const before = memoryOf(roost);
      await load.underFaults(random, build);
      record.write({ kind: 'end' });
      const verdict = await checkRecord(readRecord(record.path), { stuckMs: STUCK_MS });
      const after = memoryOf(roost);
      const memory = [...before].map(([service, mb]) => ({ service, before: mb, after: after.get(service) ?? 0 }));
      const { requests, disturbed } = model;
      const seconds = Math.round((Date.now() - startedAt) / 1_000);
      return { verdict, seconds, model: { requests, disturbed }, reconnects: load.reconnects, memory };
    } finally {
      await roost.stop();
    }
  } finally {
    record.close();
    keep(folder);
    await Promise.all([model.stop(), telegram.stop()]);
    await disk?.remove();
    await removeFolder(folder);
  }
}

/** All that the outside client does. */
class WholeLoad {
  private isOver = false;
  private readonly client: Client;
  private readonly messages: MessageLoad;
  private readonly webhooks: WebhookLoad;
  private readonly chats: ChatLoad;
  private readonly slots: SlotLoad;
  private readonly files: FileLoad;

  constructor(
    private readonly roost: RoostUnderTest,
    private readonly record: Record,
    telegram: TelegramPlatform,
    private readonly model: LedgerModel,
    private readonly options: RunOptions,
  ) {
    this.client = new Client({ urls: [roost.url], apiKey: roost.apiKey });
    const shared = { client: this.client, record };
    const isOver = () => this.isOver;
    this.webhooks = new WebhookLoad(this.client, record);
    this.messages = new MessageLoad({ ...options, ...shared, models: model.names, isOver }, (id) =>
      this.webhooks.deliveries.announce(id),
    );
    this.chats = new ChatLoad({
      ...shared,
      telegram,
      databaseUrl: roost.databaseUrl,
      chats: CHATS,
      everyMs: CHAT_EVERY_MS,
    });
    this.slots = new SlotLoad(this.client, record);
    this.files = new FileLoad({ ...shared, everyMs: FILE_EVERY_MS });
  }

  get reconnects(): number {
    return this.messages.reconnects;
  }

  async underFaults(random: ReturnType<typeof randomFrom>, current: Build): Promise<void> {
    const { roost, record, options } = this;
    const { counts, durationMs, log } = options;
    const isOver = () => this.isOver;
    try {
      await this.webhooks.prepare();
      await this.messages.prepare();
      await this.chats.prepare();
      const fileAgents = this.messages.agentIds.slice(0, FILE_AGENTS);
      await this.files.wake(fileAgents);
      await this.slots.begin();
      const plan = planFaults(random, counts, durationMs);
      const context = {
        ...{ roost, random, current, targets: roost.targets, startMs: roost.startMs },
        untilLoaded: () => this.untilLoaded(),
        previous: () => options.previous ?? buildOf(previousRevision() ?? 'HEAD'),
      };
      const startedAt = Date.now();
      const faults = runPlan<WholeContext>(plan, { context, record, isStopped: isOver, log })
        .then(() => sleep(Math.max(0, startedAt + durationMs - Date.now())))
        .finally(() => (this.isOver = true));
      await Promise.all([faults, this.messages.run(), this.chats.run(isOver), this.files.run(fileAgents, isOver)]);
      log(`settling after ${Math.round((Date.now() - startedAt) / 1_000)} s`);
      await this.settle();
    } finally {
      this.isOver = true;
      await this.messages.stop();
      this.webhooks.stop();
    }
  }

  private async untilLoaded(): Promise<void> {
    const enough = this.messages.accepted + LOADED_MESSAGES;
    await until('messages are accepted', () => this.messages.accepted >= enough, { timeoutMs: LOADED_MS }).catch(
      () => undefined,
    );
  }

  /** Until all has arrived, at most so long; then what API and chats show is written down. */
  private async settle(): Promise<void> {
    const { finishMs = FINISH_MS, isQuick, log } = this.options;
    await this.slots.end(finishMs);
    let missing = '';
    const hasArrived = async () => {
      if (isQuick) await endLeases(this.roost.databaseUrl);
      const open = {
        answers: this.messages.answers.missing,
        webhooks: this.webhooks.deliveries.missing,
        'chat replies': await this.chats.missing(),
      };
      missing = Object.entries(open)
        .flatMap(([what, count]) => (count > 0 ? [`${count} ${what}`] : []))
        .join(', ');
      return missing === '';
    };
    await until('all has arrived', hasArrived, { timeoutMs: finishMs, everyMs: 500 }).catch(() =>
      log(`still missing after ${finishMs / 1_000} s: ${missing}`),
    );
    await this.messages.list();
    await this.chats.read();
    await this.files.read();
    await this.readUsage();
  }

  /** The report, once it is still: a worker that lost its turn to another may still come to the end of a call. */
  private async readUsage(): Promise<void> {
    interface Report {
      total: { steps: number; input_tokens: number; output_tokens: number };
    }
    let known = -1;
    const path = `/v1/usage?group_by=model`;
    const { total } = await until(
      'usage is still',
      async () => {
        const report = await this.client.ask<Report>('GET', path);
        const isStill = report.total.steps === known;
        known = report.total.steps;
        return isStill && report;
      },
      { timeoutMs: BOOKS_MS, everyMs: STILL_MS },
    );
    this.model.recordTold(0);
    const { steps, input_tokens: input, output_tokens: output } = total;
    this.record.write({ kind: 'usage', steps, input, output });
    if (process.env.ROOST_LEDGER_KEEP !== undefined) await this.keepBooks(process.env.ROOST_LEDGER_KEEP);
  }

  /** For who looks for a finding's cause: the answers that are booked, known by their input tokens. */
  private async keepBooks(folder: string): Promise<void> {
    const client = new pg.Client({ connectionString: this.roost.databaseUrl });
    await client.connect();
    const { rows } = await client.query(`SELECT input_tokens FROM lifecycle.balance_ledger WHERE reason = 'used'`);
    await client.end();
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'booked.json'), JSON.stringify(rows));
  }
}

/** Lets the leases of killed dispatchers end after 15 seconds and not after two minutes: a short run has no time for them. */
async function endLeases(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(
      `UPDATE webhooks.queue SET leased_until = now() WHERE leased_until BETWEEN now() AND now() + interval '105 seconds'`,
    );
  } finally {
    await client.end();
  }
}

async function setPostgres(databaseUrl: string, settings: { [setting: string]: string }): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    for (const [name, value] of Object.entries(settings)) await client.query(`ALTER SYSTEM SET ${name} = '${value}'`);
    await client.query('SELECT pg_reload_conf()');
  } finally {
    await client.end();
  }
}

function memoryOf(roost: RoostUnderTest): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { service, residentMb } of roost.slots) sums.set(service, (sums.get(service) ?? 0) + residentMb);
  return sums;
}

function keep(folder: string): void {
  const to = process.env.ROOST_LEDGER_KEEP;
  if (to === undefined) return;
  mkdirSync(to, { recursive: true });
  for (const name of ['record.jsonl', 'logs/roost.log', 'logs/postgres.log', 'logs/nats.log'])
    try {
      copyFileSync(join(folder, name), join(to, name.replace('logs/', '')));
    } catch {
      // It did not come so far.
    }
}
