import { type Core, dataOf } from '../core.js';
import { permissionsExplain } from '../generated/sdk.gen.js';
import type { PermissionsExplainData, PermissionsExplainResponses } from '../generated/types.gen.js';
import type { CallOptions } from '../transport/transport.js';

export type ExplainedCall = PermissionsExplainData['body'];
export type PermissionExplanation = PermissionsExplainResponses[200];

/** What an agent's tools may do unasked. They are set in its `configuration.permissions`. */
export class AgentPermissions {
  constructor(
    private readonly core: Core,
    private readonly agentId: string,
  ) {}

  /** What would become of a call of a tool, and which rule decides. With `permissions`, by those, to try them before. */
  explain(call: ExplainedCall, options?: CallOptions): Promise<PermissionExplanation> {
    return dataOf(permissionsExplain({ ...this.core.by(options), path: { id: this.agentId }, body: call }));
  }
}
