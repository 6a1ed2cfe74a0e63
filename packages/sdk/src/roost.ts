import { Account } from './account/account.js';
import { Admin } from './account/admin.js';
import { Approvals } from './account/approvals.js';
import { Usage } from './account/usage.js';
import { Vault } from './account/vault.js';
import { Auth } from './account/auth.js';
import { Agent } from './agents/agent.js';
import { Agents } from './agents/agents.js';
import { Core, dataOf } from './core.js';
import { modelsList } from './generated/sdk.gen.js';
import type { HealthReadyResponses, ModelsListResponses } from './generated/types.gen.js';
import { Mcp } from './mcp/mcp.js';
import type { CallOptions, RoostOptions } from './transport/transport.js';
import { Webhooks } from './webhooks/webhooks.js';

export type Models = ModelsListResponses[200];

/**
 * A Roost, as one account sees it. Makes no request before a method is called, and holds nothing open but streams that
 * are being read.
 */
export class Roost {
  readonly agents: Agents;
  readonly webhooks: Webhooks;
  readonly mcp: Mcp;
  readonly account: Account;
  readonly usage: Usage;
  readonly approvals: Approvals;
  readonly vault: Vault;
  readonly auth: Auth;
  readonly admin: Admin;
  private readonly core: Core;

  /** Errors: TypeError for a URL that is none. */
  constructor(options: RoostOptions) {
    this.core = new Core(options);
    this.agents = new Agents(this.core);
    this.webhooks = new Webhooks(this.core);
    this.mcp = new Mcp(this.core);
    this.account = new Account(this.core);
    this.usage = new Usage(this.core);
    this.approvals = new Approvals(this.core);
    this.vault = new Vault(this.core);
    this.auth = new Auth(this.core);
    this.admin = new Admin(this.core);
  }

  /** The agent with this id; nothing is asked of the server. */
  agent(id: string): Agent {
    return new Agent(this.core, id);
  }

  /** What agents can use, with the keys that are set. */
  models(options?: CallOptions): Promise<Models> {
    return dataOf(modelsList({ ...this.core.by(options) }));
  }

  /** Whether the API and what it needs answer; `dependencies` says what does not. */
  async health(options?: CallOptions): Promise<HealthReadyResponses[200]> {
    const call = { method: 'GET', path: '/health/ready', alsoTakes: 503 };
    return (await (await this.core.transport.send(call, options)).json()) as HealthReadyResponses[200];
  }
}
