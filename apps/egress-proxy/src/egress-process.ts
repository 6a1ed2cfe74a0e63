import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type FromEgress, NetworkLogEntry, type ToEgress, encode } from '#lib/contracts';
import type { GuardPolicy } from '#lib/net-guard';
import { AgentEgress } from './agent-egress.js';
import { becomeUser } from './become-user.js';
import { Questions } from './questions.js';
import type { InterceptorParts } from './tls/intercept.js';
import { Leaves } from './tls/leaves.js';
import { trustedCertificates } from './tls/upstream.js';

type Start = Extract<ToEgress, { type: 'start' }>;

/** All agents' egress of one agent-lifecycle, which says who they are and is asked what only it knows. */
export class EgressProcess {
  private readonly agents = new Map<string, AgentEgress>();
  private readonly questions: Questions;
  private guard: GuardPolicy | undefined;
  private tls: Omit<InterceptorParts, 'guard'> | undefined;
  private folder = '';
  private made = 0;

  constructor(private readonly send: (message: FromEgress) => void) {
    this.questions = new Questions(send);
  }

  async take(message: ToEgress): Promise<void> {
    switch (message.type) {
      case 'start':
        return this.start(message);
      case 'agent': {
        const { id, agentId, policy, grants } = message;
        const agent = this.agents.get(agentId) ?? this.make(agentId);
        await agent.set(policy, grants);
        return this.send({ type: 'agent-set', id, agentId, path: agent.path });
      }
      case 'forget': {
        const agent = this.agents.get(message.agentId);
        this.agents.delete(message.agentId);
        return agent?.close();
      }
      default:
        return this.questions.answer(message);
    }
  }

  private start({ folder, allowedRanges, askHoldMs, authority, uids }: Start): void {
    this.questions.askHoldMs = askHoldMs;
    this.guard = { schemes: ['http', 'https'], allowedRanges };
    this.tls = { leaves: new Leaves(authority), trust: trustedCertificates() };
    this.folder = join(folder, 'agents');
    mkdirSync(this.folder, { mode: 0o700 });
    if (uids && process.getuid?.() === 0) becomeUser(uids, this.folder);
    this.send({ type: 'ready' });
  }

  private make(agentId: string): AgentEgress {
    const { guard, tls } = this;
    if (!guard || !tls) throw new Error('an agent before the start');
    const agent = new AgentEgress({
      path: join(this.folder, String((this.made += 1))),
      guard,
      tls,
      questions: this.questions,
      onAccess: (entry) => this.send({ type: 'access', agentId, entry: encode(NetworkLogEntry, entry) }),
    });
    this.agents.set(agentId, agent);
    return agent;
  }
}
