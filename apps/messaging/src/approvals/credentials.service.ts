import { Bus } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import { callHash, canonicalJson } from '#lib/canonical-json';
import { type askForCredential, recordedSubject, RoostError } from '#lib/contracts';
import { Database, type Queries } from '#lib/database';
import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { lockAgent } from '../agents/agents.repository.js';
import {
  type CredentialCall,
  findCredential,
  hasTooManyOpen,
  insertCredential,
  startCredential,
} from './credentials.repository.js';

type Input = z.output<typeof askForCredential.input>;
type Answer = z.output<typeof askForCredential.output>;

/** Requests of sandboxes that would carry a secret whose grant asks. */
@Injectable()
export class CredentialApprovals {
  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
  ) {}

  /**
   * Whether this one request may carry the secret. The same request asks one person once: while the question is open it is
   * `pending`, and a decision counts for CREDENTIAL_DECISION_SECONDS. Errors: NOT_FOUND (agent).
   */
  async ask(input: Input, context: CallContext): Promise<Answer> {
    const call = callOf(input, accountOf(context));
    // Without the agent's lock: whoever holds a request asks again and again.
    const known = await this.known(this.database, call);
    if (known) return known;
    const asked = await this.database.transaction(async (tx) => {
      if (!(await lockAgent(tx, call.agentId, call.accountId)))
        throw new RoostError('NOT_FOUND', 'there is no such agent');
      // The lock was waited for: another request may have asked meanwhile.
      const meanwhile = await this.known(tx, call);
      if (meanwhile) return meanwhile;
      if (await hasTooManyOpen(tx, call.agentId)) return answer('too_many', null);
      return answer('pending', await insertCredential(tx, call));
    });
    if (asked.status === 'pending') this.bus.hint(recordedSubject(call.agentId));
    return asked;
  }

  private async known(queries: Queries, call: CredentialCall): Promise<Answer | undefined> {
    const found = await findCredential(queries, call);
    if (!found) return undefined;
    const { id, status, message } = found;
    if (status === 'pending') return answer('pending', id);
    if (status !== 'allowed') return answer('denied', id, status === 'expired' ? 'nobody decided in time' : message);
    return (await startCredential(queries, call.accountId, id)) ? answer('allowed', id, message) : undefined;
  }
}

const answer = (status: Answer['status'], approvalId: string | null, message: string | null = null): Answer => ({
  status,
  approvalId,
  message,
});

/** What is shown is what is compared: another grant, host, method, path or query is another question. */
function callOf({ agentId, grantId, approvers, expiresAfterSeconds, ...request }: Input, accountId: string) {
  const tool = `vault:${request.secret}`;
  return {
    ...{ accountId, agentId, grantId, approvers, expiresAfterSeconds, tool },
    arguments: canonicalJson(request),
    hash: callHash(tool, request),
  };
}
