import { type Core, dataOf, idOf } from '../core.js';
import {
  mcpAccess,
  mcpAuthorize,
  mcpCallback,
  mcpCreate,
  mcpDelete,
  mcpGet,
  mcpGrant,
  mcpHealth,
  mcpList,
  mcpRefresh,
  mcpReplace,
  mcpRevoke,
} from '../generated/sdk.gen.js';
import type {
  McpAccessResponses,
  McpAuthorizeResponses,
  McpCallbackData,
  McpCallbackResponses,
  McpCreateData,
  McpDeleteResponses,
  McpGetResponses,
  McpGrantData,
  McpGrantResponses,
  McpHealthResponses,
  McpListResponses,
  McpRefreshResponses,
  McpReplaceData,
  McpRevokeResponses,
} from '../generated/types.gen.js';
import { type Listing, numbered } from '../listing.js';
import type { CallOptions } from '../transport/transport.js';

export type McpServer = McpListResponses[200]['servers'][number];
export type McpServerDetails = McpGetResponses[200];

/** The account's MCP servers, and which agents may use them. */
export class Mcp {
  constructor(private readonly core: Core) {}

  create(server: McpCreateData['body'], options?: CallOptions): Promise<McpServerDetails> {
    return dataOf(mcpCreate({ ...this.core.by(options), body: server }));
  }

  list(options?: CallOptions): Listing<McpServer> {
    return numbered(
      (page) => dataOf(mcpList({ ...this.core.by(options), query: { page, limit: 100 } })),
      ({ servers }) => servers,
    );
  }

  get(id: string, options?: CallOptions): Promise<McpServerDetails> {
    return dataOf(mcpGet(this.call(id, options)));
  }

  replace(id: string, server: McpReplaceData['body'], options?: CallOptions): Promise<McpServerDetails> {
    return dataOf(mcpReplace({ ...this.call(id, options), body: server }));
  }

  delete(id: string, options?: CallOptions): Promise<McpDeleteResponses[200]> {
    return dataOf(mcpDelete(this.call(id, options)));
  }

  /** Asks the server for its tools again. */
  refreshTools(id: string, options?: CallOptions): Promise<McpRefreshResponses[200]> {
    return dataOf(mcpRefresh(this.call(id, options)));
  }

  health(id: string, options?: CallOptions): Promise<McpHealthResponses[200]> {
    return dataOf(mcpHealth(this.call(id, options)));
  }

  /** Where its owner signs in. */
  authorize(
    id: string,
    query: { redirect_uri?: string } = {},
    options?: CallOptions,
  ): Promise<McpAuthorizeResponses[200]> {
    return dataOf(mcpAuthorize({ ...this.call(id, options), query }));
  }

  /** What the sign-in came back with. */
  finishAuthorization(
    id: string,
    answer: McpCallbackData['body'],
    options?: CallOptions,
  ): Promise<McpCallbackResponses[200]> {
    return dataOf(mcpCallback({ ...this.call(id, options), body: answer }));
  }

  access(id: string, options?: CallOptions): Promise<McpAccessResponses[200]> {
    return dataOf(mcpAccess(this.call(id, options)));
  }

  grant(id: string, access: McpGrantData['body'], options?: CallOptions): Promise<McpGrantResponses[201]> {
    return dataOf(mcpGrant({ ...this.call(id, options), body: access }));
  }

  revoke(id: string, agentId: string, options?: CallOptions): Promise<McpRevokeResponses[200]> {
    const path = { id: idOf(id, 'an MCP server'), agentId: idOf(agentId, 'an agent') };
    return dataOf(mcpRevoke({ ...this.core.by(options), path }));
  }

  private call(id: string, options: CallOptions | undefined) {
    return { ...this.core.by(options), path: { id: idOf(id, 'an MCP server') } };
  }
}
