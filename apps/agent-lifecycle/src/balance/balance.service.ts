import { givenFields, recordAudit } from '#lib/audit';
import { agentErrored, agentStatusChanged, type BudgetState, RoostError } from '#lib/contracts';
import { Database, type Transaction } from '#lib/database';
import { Injectable } from '@nestjs/common';
import { type AgentKey, type AgentRow, isExhausted, stateOf } from '../agents/agent-row.js';
import { lockAgent } from '../agents/agents.repository.js';
import type { BudgetRow } from '../budgets/budget-row.js';
import { BudgetsService } from '../budgets/budgets.service.js';
import { addEntry, debitPlainly, hasStep, setBalance, type BalanceWrite, type Debit } from './balance.repository.js';

/** What a debit has led to. */
export interface Debited {
  agent: AgentRow;
  budget: BudgetState;
  /** Budgets that it exhausted, or whose new period it began. */
  changed: BudgetRow[];
}

const NOTHING = { tokens: 0, costNano: 0n };

/** The output tokens that an agent may still use, and the ledger in which each change of them is a row. */
@Injectable()
export class BalanceService {
  constructor(
    private readonly database: Database,
    private readonly budgets: BudgetsService,
  ) {}

  /**
   * Sets the balance or adds to it. Errors: NOT_FOUND; CONFLICT, with the current balance, below zero or beyond what a
   * number holds exactly.
   */
  change(
    key: AgentKey,
    change: { outputTokenBalance?: number | undefined; delta?: number | undefined },
  ): Promise<AgentRow> {
    return this.database.transaction(async (tx) => {
      const agent = await lockAgent(tx, key);
      const current = Number(agent.output_token_balance);
      const after = change.outputTokenBalance ?? current + (change.delta ?? 0);
      if (after < 0) {
        throw new RoostError('CONFLICT', `delta: the balance is ${current} and cannot go below 0`, [
          { field: 'delta', reason: 'below_zero', current },
        ]);
      }
      const reason = change.delta === undefined ? 'set' : 'added';
      const fields = givenFields(change);
      await recordAudit(tx, { action: 'balance.changed', target: { type: 'agent', id: agent.id }, fields });
      return this.write(tx, agent, { after, reason, actor: key.accountId ?? 'system' });
    });
  }

  /**
   * Takes what a model step put out off the balance, down to zero, and adds what it used to the budgets that hold for the
   * agent; once per step. Errors: NOT_FOUND.
   */
  async debit(key: AgentKey, debit: Debit): Promise<Debited> {
    const agent = await debitPlainly(this.database, key, debit);
    if (!agent) return this.database.transaction((tx) => this.debitLocked(tx, key, debit));
    const budget = { isExhausted: agent.budget_is_exhausted, needsPrice: agent.budget_needs_price };
    return { agent, budget, changed: [] };
  }

  /** The first entry of an agent that was made in this transaction. */
  open(tx: Transaction, agent: AgentRow): Promise<void> {
    const after = Number(agent.output_token_balance);
    return addEntry(tx, agent, '0', { after, reason: 'created', actor: agent.account_id });
  }

  /**
   * Writes the balance of a locked agent with its ledger row. Running out and being filled up again are changes of
   * state that other services are informed of; running out is reported to the user once.
   * Errors: CONFLICT for a balance that no number holds exactly.
   */
  async write(tx: Transaction, before: AgentRow, write: BalanceWrite): Promise<AgentRow> {
    if (write.after > Number.MAX_SAFE_INTEGER) {
      throw new RoostError('CONFLICT', `output_token_balance: must be at most ${Number.MAX_SAFE_INTEGER}`, [
        { field: 'output_token_balance', reason: 'too_large', current: Number(before.output_token_balance) },
      ]);
    }
    await addEntry(tx, before, before.output_token_balance, write);
    const hasFlipped = (write.after === 0) !== isExhausted(before);
    const agent = await setBalance(tx, before, write, hasFlipped);
    if (hasFlipped) await publishState(tx, agent);
    return agent;
  }

  private async debitLocked(tx: Transaction, key: AgentKey, { stepId, outputTokens, usage }: Debit): Promise<Debited> {
    const before = await lockAgent(tx, key);
    if (await hasStep(tx, before.id, stepId)) {
      const { changed: _, ...budget } = await this.budgets.add(tx, before.id, before.account_id, NOTHING);
      return { agent: before, budget, changed: [] };
    }
    const after = Math.max(0, Number(before.output_token_balance) - outputTokens);
    const write = { after, reason: 'used' as const, actor: 'agent-runtime', stepId, used: outputTokens, usage };
    const agent = await this.write(tx, before, write);
    const cost = usage
      ? { tokens: usage.inputTokens + usage.outputTokens, costNano: usage.costUsd }
      : { tokens: outputTokens, costNano: null };
    const { changed, ...budget } = await this.budgets.add(tx, agent.id, agent.account_id, cost);
    return { agent, budget, changed };
  }
}

async function publishState(tx: Transaction, agent: AgentRow): Promise<void> {
  const state = stateOf(agent);
  await tx.outbox(agentStatusChanged, { ...state, previous: agent.status, reason: agent.status_reason }, agent.id);
  if (!state.isExhausted) return;
  await tx.outbox(
    agentErrored,
    {
      agentId: agent.id,
      accountId: agent.account_id,
      code: 'BALANCE_EXHAUSTED',
      message: 'the agent has no output tokens left: add some to its balance',
      occurredAt: new Date(),
    },
    agent.id,
  );
}
