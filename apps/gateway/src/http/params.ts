import { RoostError, UUID_PATTERN } from '#lib/contracts';
import { z } from 'zod';

const UUID = new RegExp(`^${UUID_PATTERN}$`);

/** `:id` of a path. What is no id at all is answered as an unknown one is: 404, so that ids cannot be distinguished. */
export const AgentParams = z.looseObject({
  id: z
    .string()
    .refine((id) => {
      if (!UUID.test(id)) throw new RoostError('NOT_FOUND', 'there is no such agent');
      return true;
    })
    .describe('The agent’s id.'),
});
export type AgentParams = z.output<typeof AgentParams>;

export const MessageParams = AgentParams.extend({ messageId: z.string().describe('The message’s id.') });
export type MessageParams = z.output<typeof MessageParams>;

/** `*path`: the rest of the URL, decoded. */
export const FileParams = AgentParams.extend({
  path: z.string().default('').describe('The path in the workspace; each part of it URL-encoded.'),
});
export type FileParams = z.output<typeof FileParams>;
