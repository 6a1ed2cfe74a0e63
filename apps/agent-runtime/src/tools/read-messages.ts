import { listMessages } from '#lib/contracts';
import { tool, zodSchema } from 'ai';
import { z } from 'zod';
import type { ToolContext } from './tool-context.js';
import { toolCall } from './workspace-request.js';

const HowMany = zodSchema(z.object({ limit: z.number().int().min(1).max(50).default(20) }));

/** Shows what waits; it is still handed over as the next turn, so nothing is lost by looking. */
export function readMessagesTool(context: ToolContext) {
  return tool({
    description:
      'Show the messages that wait for you, from all conversations. They are still handed to you afterwards; look at them to decide whether to finish or wrap up.',
    inputSchema: HowMany,
    execute: async ({ limit }) => {
      const { messages } = await context.bus.request(
        listMessages,
        { agentId: context.agentId, status: 'pending', limit },
        toolCall(context, listMessages.timeoutMs),
      );
      const waiting = messages.filter((message) => message.role === 'user');
      return (
        waiting
          .map(
            (message) =>
              `[${message.conversationId} over ${message.channel}, ${message.createdAt.toISOString()}] ${message.content.slice(0, 2_000)}`,
          )
          .join('\n') || '[no message waits]'
      );
    },
  });
}
