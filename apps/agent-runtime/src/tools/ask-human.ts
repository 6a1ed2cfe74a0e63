import { ASK_HUMAN, MAX_CHOICES, MAX_FIELDS } from '#lib/contracts';
import { tool, zodSchema } from 'ai';
import { z } from 'zod';

/** Loose: what is no question is explained to the model by `readQuestion`, which knows more than a schema says. */
const Asked = zodSchema(
  z.object({
    question: z.string().describe('The question, as plain text.'),
    choices: z.array(z.string()).optional().describe(`Up to ${MAX_CHOICES} short answers to choose from.`),
    schema: z
      .record(z.string(), z.unknown())
      .optional()
      .describe(
        `In place of choices, to get several values: a flat JSON Schema of type object, with up to ${MAX_FIELDS} properties of type string (enum, format, minLength, maxLength), number, integer, boolean, or array of an enum.`,
      ),
  }),
);

/**
 * Asks a person in the middle of a turn. It is never run where somebody can be asked: its turn is suspended, and the answer
 * becomes its result (`AskedCalls`).
 */
export function askHumanTool() {
  return tool({
    description:
      'Ask a person something that you need to know to go on, such as a choice or a detail that nobody gave you. You go on when it is answered, which may take hours. Only for what you cannot find out by yourself; to say something, just answer.',
    inputSchema: Asked,
    execute: (): Promise<string> =>
      Promise.reject(new Error(`${ASK_HUMAN} cannot be used here: nobody can be asked now`)),
  });
}
