import type { Bus } from '#lib/bus';
import { callHash, canonicalJson } from '#lib/canonical-json';
import { type AgentState, Approval, type ClaimedTurn, RoostError, type SuspendedCall } from '#lib/contracts';
import { type Database, newId } from '#lib/database';
import { expect } from 'vitest';
import { forgetAgent, recordAgent } from '../src/agents/agents.repository.js';
import { listApprovals, startCall } from '../src/approvals/approvals.repository.js';
import { ApprovalsService } from '../src/approvals/approvals.service.js';
import { expireDue } from '../src/approvals/suspensions.repository.js';
import { listMessages } from '../src/messages/messages.repository.js';
import { sendMessages } from '../src/messages/send.repository.js';
import { endSuspended } from '../src/runs/end-waiting.js';
import { AccountRotation } from '../src/turns/account-rotation.js';
import { claimTurn } from '../src/turns/claims.service.js';
import { completeTurn, endCancelled, expireTurn, releaseTurn, suspendTurn } from '../src/turns/turns.service.js';
import { heartbeatTurn } from '../src/turns/turns.repository.js';

export const ACTS = [
  ...['send', 'send', 'send elsewhere', 'claim', 'claim', 'claim', 'suspend', 'suspend', 'suspend', 'suspend again'],
  ...['allow', 'allow', 'deny', 'expire', 'start', 'start', 'start late', 'complete', 'lose', 'release', 'heartbeat'],
  ...['interrupt', 'reset', 'stop', 'activate', 'activate', 'delete'],
] as const;
export type Act = (typeof ACTS)[number];

const usage = { inputTokens: 0, outputTokens: 0, cachedInputTokens: 0 };
const silentBus = { hint: () => undefined, signal: () => undefined } as unknown as Bus;

/** One agent's queue with approvals, and the one worker that may hold its turn: what may become of both, act by act. */
export class ApprovalModel {
  private readonly sent: string[] = [];
  private claimed: ClaimedTurn | undefined;
  /** Turns that were claimed before, by the newest first. */
  private readonly earlier: ClaimedTurn[] = [];
  private lastSuspension: { turn: ClaimedTurn; calls: SuspendedCall[] } | undefined;
  private readonly startedBy = new Map<string, number>();
  private readonly service: ApprovalsService;
  isDeleted = false;

  private constructor(
    private readonly database: Database,
    private state: AgentState,
  ) {
    this.service = new ApprovalsService(database, silentBus);
  }

  static async open(database: Database): Promise<ApprovalModel> {
    const state = { agentId: newId(), accountId: newId(), status: 'active' as const, revision: 1, isExhausted: false };
    await database.transaction((tx) => recordAgent(tx, state));
    return new ApprovalModel(database, state);
  }

  async act(act: Act): Promise<void> {
    const { agentId, accountId } = this.state;
    switch (act) {
      case 'send':
        return this.send('c');
      case 'send elsewhere':
        return this.send('d');
      case 'interrupt':
        return this.send('c', 'interrupt');
      case 'claim':
        return this.claim();
      case 'stop':
        return this.become({ status: 'stopped' });
      case 'activate':
        return this.become({ status: 'active' });
      case 'allow':
      case 'deny':
        return this.decide(act);
      case 'expire':
        return this.expire();
      case 'suspend again':
        return this.suspendAgain();
      case 'start late':
        return this.start(this.earlier[0]);
      case 'reset':
        return void (await this.database.transaction((tx) => endSuspended(tx, agentId, null, 'cancelled')));
      case 'delete':
        await this.database.transaction((tx) => forgetAgent(tx, agentId, accountId, this.state.revision + 1));
        this.isDeleted = true;
        return;
      default:
        if (this.claimed) await this.work(act, this.claimed);
    }
  }

  async pending(): Promise<Approval[]> {
    return (await listApprovals(this.database, this.state.accountId, { status: 'pending', limit: 100 })).approvals;
  }

  /** Each message is answered, failed, claimed or says what it waits for; who waits for approvals is not claimed. */
  async check(): Promise<void> {
    const { agentId, accountId, status } = this.state;
    const listed = await listMessages(this.database, accountId, { agentId, limit: 100 }, () => Promise.resolve());
    const users = listed.messages.filter(({ role }) => role === 'user');
    expect(users.map(({ id }) => id)).toEqual(this.isDeleted ? [] : this.sent);
    const answered = new Set(
      await this.database
        .query<{ id: string }>(
          `SELECT jsonb_array_elements_text(message_ids) AS id FROM turns WHERE agent_id = $1 AND state = 'completed'`,
          [agentId],
        )
        .then((rows) => rows.map(({ id }) => id)),
    );
    const suspended = new Set((await this.pending()).map(({ conversationId }) => conversationId));
    expect(this.isDeleted && suspended.size > 0).toBe(false);
    if (this.claimed) expect(suspended.has(this.claimed.conversationId)).toBe(false);
    for (const message of users) {
      const why = [
        answered.has(message.id),
        message.error !== null,
        message.status === 'delivered',
        message.waitingFor !== null,
      ];
      expect(why.filter(Boolean), JSON.stringify({ message, why })).toHaveLength(1);
      if (message.waitingFor && status === 'active')
        expect(message.waitingFor.reason === 'approval').toBe(suspended.has(message.conversationId));
    }
  }

  /** Everything that is asked is decided, and everything that waits is answered. */
  async finish(): Promise<void> {
    await this.act('activate');
    for (let tries = 0; tries < 200 && !this.isDeleted; tries += 1) {
      if (this.claimed) await this.act('heartbeat');
      if (this.claimed) await this.act('complete');
      await this.act('allow');
      await this.claim();
      if (this.claimed) continue;
      const waiting = await this.database.query(
        `SELECT 1 FROM messages WHERE agent_id = $1 AND status <> 'read' AND role = 'user'`,
        [this.state.agentId],
      );
      if (waiting.length === 0) break;
    }
    await this.check();
    expect(await this.pending()).toEqual([]);
    const stuck = await this.database.query(
      `SELECT 1 FROM conversations WHERE agent_id = $1 AND suspended_run IS NOT NULL`,
      [this.state.agentId],
    );
    expect(stuck).toEqual([]);
    if (!this.isDeleted) await this.act('delete');
  }

  private async work(act: Act, turn: ClaimedTurn): Promise<void> {
    const fence = fenceOf(turn);
    if (act === 'start') return this.start(turn);
    if (act === 'suspend') return this.suspend(turn);
    if (act === 'lose') {
      await this.database.query(`UPDATE turns SET lease_until = 'epoch' WHERE id = $1`, [turn.turnId]);
      await this.database.transaction(expireTurn);
    } else if (act === 'complete') await this.report((tx) => completeTurn(tx, { ...fence, replies: ['r'], usage }));
    else if (act === 'release') await this.report((tx) => releaseTurn(tx, fence));
    else {
      const beat = await heartbeatTurn(this.database, fence, 30_000).catch(() => ({ cancelled: true, stopped: false }));
      if (!beat.cancelled) return;
      await this.report((tx) => (beat.stopped ? releaseTurn(tx, fence) : endCancelled(tx, fence, 'half')));
    }
    this.leave(turn);
  }

  private async suspend(turn: ClaimedTurn): Promise<void> {
    const calls = Array.from({ length: 1 + (this.sent.length % 2) }, () => this.call());
    this.lastSuspension = { turn, calls };
    await this.suspendAgain();
    this.leave(turn);
  }

  /** As a worker whose first report's answer was lost. */
  private async suspendAgain(): Promise<void> {
    if (!this.lastSuspension) return;
    const { turn, calls } = this.lastSuspension;
    const input = { ...fenceOf(turn), calls, approvers: null, expiresAfterSeconds: 60, partialReply: 'half' };
    await this.report((tx) => suspendTurn(tx, input));
  }

  private call(): SuspendedCall {
    const args = { command: newId() };
    const common = { approvalId: newId(), kind: 'tool' as const, toolCallId: newId(), tool: 'bash', rule: 0 };
    return { ...common, arguments: canonicalJson(args), hash: callHash('bash', args) };
  }

  private async start(turn: ClaimedTurn | undefined): Promise<void> {
    for (const { approvalId, hash, status } of turn?.approvals ?? []) {
      const started = await startCall(this.database, { approvalId, hash, ...fenceOf(turn!) }).then(
        () => true,
        () => false,
      );
      if (!started) continue;
      expect(status).toBe('allowed');
      // By one attempt alone, and by none that has lost its turn.
      expect(turn).toBe(this.claimed);
      expect(this.startedBy.get(approvalId) ?? turn!.fencingToken).toBe(turn!.fencingToken);
      this.startedBy.set(approvalId, turn!.fencingToken);
    }
  }

  private async decide(how: 'allow' | 'deny'): Promise<void> {
    const [approval] = await this.pending();
    if (!approval) return;
    const input = { approvalId: approval.id, decision: how === 'allow' ? ('allow_once' as const) : how };
    const actor = { type: 'user' as const, id: 'u' };
    const call = { accountId: this.state.accountId, requestId: 'r', deadline: Date.now() + 5_000, actor };
    const decided = await this.service.decide(input, call);
    expect(decided).toMatchObject({ status: how === 'allow' ? 'allowed' : 'denied', decidedBy: actor });
    const details = [{ reason: 'already_decided', status: decided.status, decided_by: actor }];
    await expect(this.service.decide(input, call)).rejects.toMatchObject({ code: 'CONFLICT', details });
  }

  private async expire(): Promise<void> {
    await this.database.query(`UPDATE approvals SET expires_at = 'epoch' WHERE agent_id = $1`, [this.state.agentId]);
    await this.database.transaction((tx) => expireDue(tx, this.state.agentId, 100));
    expect(await this.pending()).toEqual([]);
  }

  private async send(conversationId: string, queueMode: 'collect' | 'interrupt' = 'collect'): Promise<void> {
    const { agentId, accountId } = this.state;
    const input = { agentId, content: 'm', metadata: {}, channel: 'api' as const, queueMode, conversationId };
    const [outcome] = await sendMessages(this.database, [{ input, accountId, headers: {} }]);
    if (outcome?.kind !== 'accepted') return;
    this.sent.push(outcome.message.id);
    if (queueMode === 'interrupt')
      expect((await this.pending()).filter((approval) => approval.conversationId === conversationId)).toEqual([]);
  }

  private async claim(): Promise<void> {
    const claim = { workerId: 'w', leaseMs: 30_000, fullAccounts: [] };
    const turn = await claimTurn(this.database, new AccountRotation(), claim);
    if (!turn) return;
    expect(this.claimed).toBeUndefined();
    expect((turn.approvals ?? []).filter(({ status }) => status === 'pending')).toEqual([]);
    this.claimed = turn;
  }

  private async become(change: Partial<AgentState>): Promise<void> {
    this.state = { ...this.state, ...change, revision: this.state.revision + 1 };
    await this.database.transaction((tx) => recordAgent(tx, this.state));
  }

  private leave(turn: ClaimedTurn): void {
    this.earlier.unshift(turn);
    this.claimed = undefined;
  }

  private async report(write: Parameters<Database['transaction']>[0]): Promise<void> {
    await this.database.transaction(write).catch((error: unknown) => {
      if (!(error instanceof RoostError && error.code === 'CONFLICT')) throw error;
    });
  }
}

const fenceOf = ({ turnId, fencingToken }: ClaimedTurn) => ({ turnId, fencingToken });
