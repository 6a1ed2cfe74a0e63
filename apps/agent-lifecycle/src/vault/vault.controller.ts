import { Consumes, Handles, LOGGER } from '#lib/bus';
import { accountOf, type CallContext, inCall } from '#lib/call-context';
import {
  approvalDecided,
  createVaultGrant,
  createVaultSecret,
  deleteVaultGrant,
  deleteVaultSecret,
  getVaultSecret,
  listVaultGrants,
  listVaultGrantsOfSecret,
  listVaultSecrets,
  openVaultHeaders,
  RoostError,
  updateVaultGrant,
  updateVaultSecret,
} from '#lib/contracts';
import type { Transaction } from '#lib/database';
import type { Logger } from '#lib/observability';
import { Controller, Inject } from '@nestjs/common';
import type { z } from 'zod';
import { WorkspaceUpdates } from '../workspaces/workspace-updates.js';
import { GrantsService } from './grants.service.js';
import { VaultHeaders } from './vault-headers.js';
import { type Changed, VaultService } from './vault.service.js';

type InputOf<C extends { input: z.ZodType }> = z.output<C['input']>;

@Controller()
export class VaultController {
  constructor(
    private readonly secrets: VaultService,
    private readonly grants: GrantsService,
    private readonly headers: VaultHeaders,
    private readonly updates: WorkspaceUpdates,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @Handles(openVaultHeaders)
  async openHeaders({ url, headers }: InputOf<typeof openVaultHeaders>, context: CallContext) {
    return { headers: await this.headers.open(accountOf(context), url, headers) };
  }

  @Handles(createVaultSecret)
  createSecret(secret: InputOf<typeof createVaultSecret>, context: CallContext) {
    return this.secrets.create(accountOf(context), secret);
  }

  @Handles(listVaultSecrets)
  listSecrets(page: InputOf<typeof listVaultSecrets>, context: CallContext) {
    return this.secrets.list(accountOf(context), page);
  }

  @Handles(getVaultSecret)
  getSecret({ secretId }: { secretId: string }, context: CallContext) {
    return this.secrets.get(accountOf(context), secretId);
  }

  @Handles(updateVaultSecret)
  async updateSecret({ secretId, ...change }: InputOf<typeof updateVaultSecret>, context: CallContext) {
    return this.applied(await this.secrets.change(accountOf(context), secretId, change));
  }

  @Handles(deleteVaultSecret)
  async deleteSecret({ secretId }: { secretId: string }, context: CallContext) {
    this.applied(await this.secrets.remove(accountOf(context), secretId));
    return { id: secretId, message: 'the secret is deleted' };
  }

  @Handles(listVaultGrantsOfSecret)
  grantsOfSecret({ secretId }: { secretId: string }, context: CallContext) {
    return this.secrets.grants(accountOf(context), secretId);
  }

  @Handles(createVaultGrant)
  async grant({ agentId, ...grant }: InputOf<typeof createVaultGrant>, context: CallContext) {
    return this.applied(await this.grants.create(accountOf(context), agentId, grant));
  }

  @Handles(listVaultGrants)
  listGrants({ agentId }: { agentId: string }, context: CallContext) {
    return this.grants.list(accountOf(context), agentId);
  }

  @Handles(updateVaultGrant)
  async updateGrant({ agentId, grantId, ask }: InputOf<typeof updateVaultGrant>, context: CallContext) {
    return this.applied(await this.grants.change({ accountId: accountOf(context), agentId, grantId }, { ask }));
  }

  /** A person has allowed a request always: its grant asks no more. */
  @Consumes(approvalDecided)
  async onDecided({ accountId, agentId, approval }: z.output<typeof approvalDecided.payload>, tx: Transaction) {
    const { grantId, decision, decidedBy } = approval;
    if (grantId === null || decision !== 'allow_always') return;
    const call = { accountId, requestId: `approval_${approval.id}`, deadline: Date.now() + 30_000 };
    const changed = await inCall({ ...call, actor: decidedBy ?? undefined }, () =>
      this.grants.setAsk(tx, { accountId, agentId, grantId }, false),
    ).catch((error: unknown) => {
      // Revoked meanwhile: there is nothing left that asks.
      if (error instanceof RoostError && error.code === 'NOT_FOUND') return undefined;
      throw error;
    });
    if (changed) tx.afterCommit(() => void this.applied(changed));
  }

  @Handles(deleteVaultGrant)
  async revoke({ agentId, grantId }: InputOf<typeof deleteVaultGrant>, context: CallContext) {
    this.applied(await this.grants.remove(accountOf(context), agentId, grantId));
    return { id: grantId, message: 'the grant is revoked' };
  }

  /** The egress processes get it now; a sandbox whose variables change is made anew when it is quiet. */
  private applied<T>({ result, agents }: Changed<T>): T {
    for (const agent of agents)
      this.updates
        .apply(agent)
        .catch((error: unknown) =>
          this.logger.warn({ agentId: agent.id, err: error }, 'a grant was not applied; the next round does it'),
        );
    return result;
  }
}
