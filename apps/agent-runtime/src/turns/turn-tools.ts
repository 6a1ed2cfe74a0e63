import type { Tracer } from '#lib/tracing';
import type { ToolSet } from 'ai';
import type { TurnContext } from '../context/load-context.js';
import { permittedTools } from '../permissions/permitted-tools.js';
import type { ToolContext } from '../tools/tool-context.js';
import { tracedTools } from '../tools/tool-spans.js';
import { builtInTools } from '../tools/toolset.js';

interface ToolListener {
  /** How many messages wait. */
  waiting(): number;
  onExit?: ToolContext['onExit'];
}

/** All tools of a turn, behind its permissions. */
export function turnTools(tracer: Tracer, context: TurnContext, { waiting, onExit }: ToolListener): ToolSet {
  const own = onExit ? { ...context.tools, onExit } : context.tools;
  const builtIn = builtInTools(own, context.agent.configuration, waiting);
  return tracedTools(tracer, permittedTools({ ...context.mcpTools, ...builtIn }, context.gate));
}
