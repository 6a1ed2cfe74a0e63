import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { SseError } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  OAuthError,
  ServerError,
  TemporarilyUnavailableError,
  TooManyRequestsError,
} from '@modelcontextprotocol/sdk/server/auth/errors.js';
import { RoostError } from '#lib/contracts';

/** A server in a workspace ended or did not answer; with the last of what it wrote to its stderr. */
export class StdioServerFailure extends Error {
  constructor(
    message: string,
    readonly stderr: string,
  ) {
    super(message);
  }
}

/** Nothing but the owner's authorization helps. */
export class AuthorizationNeeded extends RoostError {
  constructor() {
    super(
      'ACCESS_DENIED',
      'the MCP server wants to be authorised: the account’s owner does so under /v1/mcp/servers/{id}/oauth/authorize',
    );
  }
}

/**
 * Whether the owner has to authorize the server (anew): its tokens were refused, and cannot be refreshed. An
 * authorization server that is only away is a failure that passes.
 */
export function needsAuthorization(error: unknown): boolean {
  if (error instanceof ServerError || error instanceof TemporarilyUnavailableError) return false;
  if (error instanceof TooManyRequestsError) return false;
  if (error instanceof StreamableHTTPError || error instanceof SseError) return error.code === 401;
  return error instanceof AuthorizationNeeded || error instanceof UnauthorizedError || error instanceof OAuthError;
}
