import { z } from 'zod';

/**
 * What servers answer, looser than the SDK's schemas: those refuse a whole server for one tool, and a call that was carried
 * out for one part of its result. What is not read here may be anything.
 */
const Text = z.string().optional().catch(undefined);
const Anything = z.unknown().optional();

export const InitializeAnswer = z.object({
  protocolVersion: z.string(),
  capabilities: z.object({ tools: Anything.transform(toToolsCapability) }).catch({ tools: undefined }),
});

/** `null` is "no", as Go writes what is not set; `true` is meant as "yes". */
function toToolsCapability(said: unknown): { listChanged: boolean } | undefined {
  if (!said) return undefined;
  return { listChanged: (said as { listChanged?: unknown }).listChanged === true };
}

/** Nothing is asked of it but that it came. */
export const PingAnswer = z.unknown();

const Tool = z.object({ name: z.string().min(1).max(500), description: Text, inputSchema: Anything });

export const ToolListAnswer = z.object({
  tools: z
    .array(z.unknown())
    .nullish()
    .transform((tools) => (tools ?? []).flatMap((tool) => Tool.safeParse(tool).data ?? [])),
  nextCursor: Text,
});

export interface CallAnswer {
  content: unknown[];
  structuredContent: unknown;
  isError: boolean;
}

/** Its parts are read one by one, by `resultPart`. */
export const CallAnswer = z
  .object({ content: Anything, structuredContent: Anything, isError: Anything })
  .transform(({ content, structuredContent, isError }): CallAnswer => ({
    content: Array.isArray(content) ? content : content === undefined || content === null ? [] : [content],
    structuredContent,
    isError: isError === true,
  }));

const ResultPart = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({ type: z.enum(['image', 'audio']), data: z.string(), mimeType: Text }),
  z.object({
    type: z.literal('resource'),
    resource: z.object({ uri: Text, mimeType: Text, text: Text, blob: Text }),
  }),
  z.object({ type: z.literal('resource_link'), uri: z.string(), name: Text }),
]);
export type ResultPart = z.infer<typeof ResultPart>;

/** `undefined` for what is no part of a result. */
export const resultPart = (part: unknown): ResultPart | undefined => ResultPart.safeParse(part).data;
