import { type Channel, MCP_PREFIX, type Permissions } from '#lib/contracts';
import { canonicalJson } from '#lib/canonical-json';
import { decide, type Decision, describeDecision } from '#lib/permissions';

/** A tool of an MCP server, behind the name that a model calls it by: that may be shortened, or made unique. */
export interface McpOrigin {
  server: string;
  name: string;
  /** Arguments by the names that the server knows. */
  restore(args: unknown): unknown;
}

/** A call as rules see it, and what becomes of it. */
export interface JudgedCall extends Decision {
  /** A built-in tool's name, or `mcp:server/tool`. */
  tool: string;
  /** What the tool is about to get. */
  arguments: unknown;
  /** Which rule decides, in words. */
  reason: string;
}

/** A call that is not run. The model reads why. */
export class CallRefused extends Error {
  override readonly name = 'CallRefused';
}

/** Decides by the agent's permissions which of a turn's calls run. */
export class PermissionGate {
  private readonly approved = new Map<string, string>();
  private readonly refused = new Map<string, string>();

  constructor(
    private readonly permissions: Permissions | undefined,
    /** How the turn began. */
    private readonly source: Channel,
    private readonly mcp: ReadonlyMap<string, McpOrigin>,
  ) {}

  /** Why nobody is asked a question in this turn; undefined when somebody is. */
  get unattendedProblem(): string | undefined {
    const isUnattended = this.source === 'schedule' || this.source === 'trigger';
    return isUnattended && this.permissions?.unattended === 'deny' ? 'nobody is there in this turn' : undefined;
  }

  decide(toolName: string, input: unknown): JudgedCall {
    const origin = this.mcp.get(toolName);
    const tool = origin ? `${MCP_PREFIX}${origin.server}/${origin.name}` : toolName;
    const args = origin ? origin.restore(input) : input;
    const decision = decide(this.permissions, { tool, arguments: args, source: this.source });
    return { ...decision, tool, arguments: args, reason: describeDecision(this.permissions, decision) };
  }

  /** A person has allowed this call, with just these arguments. */
  approve(toolCallId: string, { tool, arguments: args }: Pick<JudgedCall, 'tool' | 'arguments'>): void {
    this.approved.set(toolCallId, canonicalJson([tool, args]));
  }

  /** This call is not run, whatever the rules say. */
  refuse(toolCallId: string, reason: string): void {
    this.refused.set(toolCallId, reason);
  }

  /** Called right before a tool runs. Errors: CallRefused. */
  requirePermission(toolName: string, input: unknown, toolCallId: string): void {
    const refused = this.refused.get(toolCallId);
    if (refused !== undefined) throw new CallRefused(`${refused}. It was not run.`);
    const { action, tool, arguments: args, reason } = this.decide(toolName, input);
    if (action === 'allow') return;
    if (action === 'ask' && this.approved.get(toolCallId) === canonicalJson([tool, args])) return;
    throw new CallRefused(
      action === 'deny'
        ? `not allowed by your permissions: ${reason}. It was not run. Do not try another way to the same; say that you may not.`
        : `a person has to allow this: ${reason}. Nobody can be asked here, so it was not run.`,
    );
  }
}
