import { givenFields, recordAudit } from '#lib/audit';
import {
  type Budget,
  type BudgetChange,
  budgetExhausted,
  budgetReset,
  type BudgetState,
  budgetThreshold,
  type NewBudget,
  RoostError,
} from '#lib/contracts';
import { Database, newId, type Transaction } from '#lib/database';
import { lockQuota } from '#lib/quotas';
import { isZone } from '#lib/time-zones';
import { Injectable } from '@nestjs/common';
import { lockAgent } from '../agents/agents.repository.js';
import { usedSince } from '../usage/usage.repository.js';
import { budgetOf, type BudgetRow, type BudgetUse, periodOf, thresholdOf, useAt } from './budget-row.js';
import {
  type BudgetTerms,
  countBudgets,
  databaseTime,
  deleteBudgetRow,
  findBudget,
  insertBudget,
  listBudgetRows,
  lockBudgetsFor,
  lockEnded,
  noteNewBudget,
  writeBudget,
} from './budgets.repository.js';

/** Of one agent, or of the account itself: each of them is locked and written by a debit. */
const MAX_OF_SCOPE = 10;
const ENDED_AT_ONCE = 100;

/** What a step adds to budgets. */
export interface StepCost {
  tokens: number;
  /** Null: not known. */
  costNano: bigint | null;
}

/** Caps of what accounts and agents use, and the events when they are reached (docs/decisions/0039). */
@Injectable()
export class BudgetsService {
  constructor(private readonly database: Database) {}

  /** What was used in the period so far counts. Errors: NOT_FOUND, VALIDATION_ERROR, CONFLICT. */
  create(accountId: string, { agentId, limitTokens, limitUsd, ...terms }: NewBudget): Promise<Changed> {
    return this.database.transaction(async (tx) => {
      // No agent is made that the budget would hold for and that does not know of it.
      if (agentId === null) await lockQuota(tx, 'agents', accountId);
      else await lockAgent(tx, { agentId, accountId });
      await noteNewBudget(tx, accountId, agentId);
      if ((await countBudgets(tx, accountId, agentId)) >= MAX_OF_SCOPE)
        throw new RoostError('CONFLICT', `at most ${MAX_OF_SCOPE} budgets of one agent, and as many of the account`);
      const wanted: BudgetTerms = {
        account_id: accountId,
        agent_id: agentId,
        ...amountOf(limitTokens, limitUsd),
        period: terms.period,
        timezone: zoneOf(terms.timezone),
        threshold_percent: terms.thresholdPercent,
      };
      const now = await databaseTime(tx);
      const row = await insertBudget(tx, newId(), wanted, await this.useNow(tx, wanted, now));
      await audit(tx, 'budget.created', row.id);
      await publishCrossings(tx, undefined, row, now);
      return { row, budget: budgetOf(row, now) };
    });
  }

  async list(accountId: string, agentId: string | undefined): Promise<Budget[]> {
    const rows = await listBudgetRows(this.database, accountId, agentId ?? null);
    const now = await databaseTime(this.database);
    return rows.map((row) => budgetOf(row, now));
  }

  /** Errors: NOT_FOUND. */
  async get(accountId: string, budgetId: string): Promise<Budget> {
    const row = await findBudget(this.database, accountId, budgetId);
    return budgetOf(row, await databaseTime(this.database));
  }

  /** Errors: NOT_FOUND, VALIDATION_ERROR. */
  change(accountId: string, budgetId: string, { limitTokens, limitUsd, ...change }: BudgetChange): Promise<Changed> {
    return this.database.transaction(async (tx) => {
      const before = await findBudget(tx, accountId, budgetId, 'FOR UPDATE');
      const isLimited = limitTokens !== undefined || limitUsd !== undefined;
      const wanted: BudgetTerms = {
        ...before,
        ...(isLimited ? amountOf(limitTokens, limitUsd) : {}),
        period: change.period ?? before.period,
        timezone: zoneOf(change.timezone ?? before.timezone),
        threshold_percent: change.thresholdPercent ?? before.threshold_percent,
      };
      const now = await databaseTime(tx);
      const isCounted =
        wanted.unit === before.unit && wanted.period === before.period && wanted.timezone === before.timezone;
      const use = isCounted ? judged(wanted, useAt(before, now)) : await this.useNow(tx, wanted, now);
      const row = await writeBudget(tx, before, use, wanted);
      await audit(tx, 'budget.updated', row.id, givenFields({ limitTokens, limitUsd, ...change }));
      await publishCrossings(tx, before, row, now);
      return { row, budget: budgetOf(row, now) };
    });
  }

  /** Errors: NOT_FOUND. */
  remove(accountId: string, budgetId: string): Promise<Changed> {
    return this.database.transaction(async (tx) => {
      const before = await findBudget(tx, accountId, budgetId, 'FOR UPDATE');
      const now = await databaseTime(tx);
      await deleteBudgetRow(tx, budgetId);
      await audit(tx, 'budget.deleted', budgetId);
      const row = { ...before, is_exhausted: false, revision: String(Number(before.revision) + 1) };
      await publishCrossings(tx, before, row, now);
      return { row, budget: budgetOf(row, now) };
    });
  }

  /**
   * Adds a step to the budgets that hold for its agent, whose row the caller has locked. What crosses a mark is published in
   * the same transaction.
   */
  async add(
    tx: Transaction,
    agentId: string,
    accountId: string,
    cost: StepCost,
  ): Promise<BudgetState & { changed: BudgetRow[] }> {
    const rows = await lockBudgetsFor(tx, agentId, accountId);
    const changed: BudgetRow[] = [];
    const after: BudgetRow[] = [];
    const now = rows.length > 0 ? await databaseTime(tx) : new Date();
    for (const before of rows) {
      const use = useAt(before, now);
      const added = before.unit === 'tokens' ? BigInt(cost.tokens) : (cost.costNano ?? 0n);
      const row = await writeBudget(tx, before, judged(before, { ...use, used: String(BigInt(use.used) + added) }));
      await publishCrossings(tx, before, row, now);
      if (row.is_exhausted !== before.is_exhausted) changed.push(row);
      after.push(row);
    }
    return {
      isExhausted: after.some(({ is_exhausted }) => is_exhausted),
      needsPrice: after.some(({ unit }) => unit === 'usd'),
      changed,
    };
  }

  /** Begins the new period of exhausted budgets whose old one is over; returns them. */
  turnPeriods(): Promise<BudgetRow[]> {
    return this.database.transaction(async (tx) => {
      const ended = await lockEnded(tx, ENDED_AT_ONCE);
      const now = await databaseTime(tx);
      const turned: BudgetRow[] = [];
      for (const before of ended) {
        const row = await writeBudget(tx, before, useAt(before, now));
        await publishCrossings(tx, before, row, now);
        turned.push(row);
      }
      return turned;
    });
  }

  private async useNow(tx: Transaction, terms: BudgetTerms, now: Date): Promise<BudgetUse> {
    const period = periodOf(terms, now);
    const used = await usedSince(tx, {
      accountId: terms.account_id,
      agentId: terms.agent_id,
      from: period.period_starts_at,
    });
    const amount = String(terms.unit === 'tokens' ? used.tokens : used.nanoUsd);
    return judged(terms, { ...period, used: amount, is_past_threshold: false, is_exhausted: false });
  }
}

const audit = (tx: Transaction, action: string, id: string, fields?: string[]) =>
  recordAudit(tx, { action, target: { type: 'budget', id }, ...(fields ? { fields } : {}) });

/** A budget after a change, and its row, for whoever follows it. */
export interface Changed {
  row: BudgetRow;
  budget: Budget;
}

/** Whether the marks are reached. A threshold that a higher limit left behind is published again. */
function judged(terms: Pick<BudgetRow, 'amount' | 'threshold_percent'>, use: BudgetUse): BudgetUse {
  const used = BigInt(use.used);
  return { ...use, is_past_threshold: used >= thresholdOf(terms), is_exhausted: used >= BigInt(terms.amount) };
}

/** Puts what happened to a budget in the outbox. */
async function publishCrossings(
  tx: Transaction,
  before: BudgetRow | undefined,
  after: BudgetRow,
  now: Date,
): Promise<void> {
  const payload = {
    accountId: after.account_id,
    budget: budgetOf(after, now),
    revision: Number(after.revision),
    occurredAt: now,
  };
  const wasPast = before !== undefined && now < before.period_ends_at && before.is_past_threshold;
  if (after.is_past_threshold && !wasPast) await tx.outbox(budgetThreshold, payload, after.id);
  const wasExhausted = before?.is_exhausted ?? false;
  if (after.is_exhausted && !wasExhausted) await tx.outbox(budgetExhausted, payload, after.id);
  if (!after.is_exhausted && wasExhausted) await tx.outbox(budgetReset, payload, after.id);
}

function amountOf(limitTokens: number | undefined, limitUsd: bigint | undefined): Pick<BudgetRow, 'unit' | 'amount'> {
  if (limitTokens !== undefined) return { unit: 'tokens', amount: String(limitTokens) };
  const amount = limitUsd ?? 0n;
  // What Postgres holds; beyond nine billion dollars.
  if (amount < 1n || amount > 2n ** 63n - 1n)
    throw new RoostError('VALIDATION_ERROR', 'limit_usd: must be more than 0 and at most 9000000000', [
      { field: 'limit_usd', reason: 'out_of_range' },
    ]);
  return { unit: 'usd', amount: String(amount) };
}

function zoneOf(timezone: string): string {
  if (isZone(timezone)) return timezone;
  throw new RoostError('VALIDATION_ERROR', 'timezone: is not an IANA time zone like Europe/Berlin', [
    { field: 'timezone', reason: 'invalid' },
  ]);
}
