import { z } from 'zod';
import { wire } from './wire.js';

/** Questions that an agent, or a tool of an MCP server, asks a person in the middle of a turn (docs/guide/approvals.md). */

/** The built-in tool by which an agent asks. */
export const ASK_HUMAN = 'ask_human';

/** Longer ones nobody reads, and no chat shows in one message. */
export const MAX_QUESTION = 4_000;
/** Discord shows so many buttons below a message, one of which is kept for "I do not answer". */
export const MAX_CHOICES = 20;
const MAX_CHOICE = 80;
export const MAX_FIELDS = 20;
/** Of a question with all that belongs to it, as JSON: lists and events always hold it whole. */
export const MAX_QUESTION_BYTES = 16_000;
/** Of an answer as JSON: those of all questions of a run travel with the claim of its next attempt. */
export const MAX_ANSWER_BYTES = 16_384;

const words = {
  title: z.string().max(200).optional().describe('What the field is called.'),
  description: z.string().max(1_000).optional().describe('What it is for.'),
};
const option = z.string().max(200);
const options = z.array(option).min(1).max(100);
const titled = z
  .array(
    z.object({
      const: option.describe('The value that is answered.'),
      title: z.string().max(200).describe('What is shown for it.'),
    }),
  )
  .min(1)
  .max(100)
  .describe('What may be chosen, each with its title.');
const length = z.number().int().min(0).max(MAX_ANSWER_BYTES);

/** One field of a form: what MCP lets a server ask for (its `PrimitiveSchemaDefinition`). */
export const QuestionField = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('string').describe('A text.'),
    ...words,
    enum: options.optional().describe('What may be chosen.'),
    enumNames: z.array(z.string().max(200)).max(100).optional().describe('What is shown for each of `enum`.'),
    oneOf: titled.optional(),
    minLength: length.optional().describe('Characters at least.'),
    maxLength: length.optional().describe('Characters at most.'),
    format: z.enum(['email', 'uri', 'date', 'date-time']).optional().describe('The form that it has.'),
    default: z.string().max(2_000).optional().describe('What is suggested.'),
  }),
  z.object({
    type: z.enum(['number', 'integer']).describe('A number.'),
    ...words,
    minimum: z.number().optional().describe('The least.'),
    maximum: z.number().optional().describe('The most.'),
    default: z.number().optional().describe('What is suggested.'),
  }),
  z.object({
    type: z.literal('boolean').describe('Yes or no.'),
    ...words,
    default: z.boolean().optional().describe('What is suggested.'),
  }),
  z.object({
    type: z.literal('array').describe('Several of what may be chosen.'),
    ...words,
    minItems: length.optional().describe('How many at least.'),
    maxItems: length.optional().describe('How many at most.'),
    items: z
      .union([
        z.object({
          type: z.literal('string').optional().describe('Texts.'),
          enum: options.describe('What may be chosen.'),
        }),
        z.object({ anyOf: titled }),
        z.object({ oneOf: titled }),
      ])
      .describe('What may be chosen.'),
    default: z.array(option).max(100).optional().describe('What is suggested.'),
  }),
]);
export type QuestionField = z.output<typeof QuestionField>;

/** A form: a flat object of texts, numbers, switches and selections. */
export const QuestionSchema = z.object({
  type: z.literal('object').describe('A form.'),
  properties: z
    .record(
      z
        .string()
        .regex(/^[\w.-]{1,64}$/)
        .refine((name) => name !== '__proto__'),
      QuestionField,
    )
    .refine((fields) => Object.keys(fields).length > 0, 'at least one field')
    .refine((fields) => Object.keys(fields).length <= MAX_FIELDS, `at most ${MAX_FIELDS} fields`)
    .describe('Its fields by name.'),
  required: z.array(z.string().max(64)).max(MAX_FIELDS).optional().describe('The fields that must be filled in.'),
});
export type QuestionSchema = z.output<typeof QuestionSchema>;

/** As it is kept, shown and hashed. The names are the same in code and on every wire. */
export const Question = z
  .object({
    question: z
      .string()
      .min(1)
      .max(MAX_QUESTION)
      .describe('The question. Written by a model or an MCP server: it is shown as plain text.'),
    choices: z
      .array(z.string().min(1).max(MAX_CHOICE))
      .min(1)
      .max(MAX_CHOICES)
      .refine((all) => new Set(all).size === all.length, 'each choice once')
      .nullish()
      .describe('The answer is one of these; null when there are none to choose from.'),
    schema: QuestionSchema.nullish().describe(
      'The answer is an object of this JSON Schema: flat, of the kinds of fields that MCP’s elicitation has; null when it is none.',
    ),
    url: z
      .string()
      .max(2_000)
      .regex(/^https?:\/\//i)
      .nullish()
      .describe('A page that the person is asked to open, and to answer `true` after; null when it is none.'),
  })
  .meta({
    id: 'Question',
    description: 'A question. Without `choices`, `schema` and `url` the answer is a text.',
  });
export type Question = z.output<typeof Question>;

/** The body of `POST /v1/approvals/{id}/answer`. */
export const answerFields = {
  answer: z
    .json()
    .optional()
    .describe('The answer: a text; one of the choices; an object of the schema; or `true` once the page was opened.'),
  text: z
    .string()
    .max(MAX_ANSWER_BYTES)
    .optional()
    .describe(
      'In place of `answer`, what a person typed: the name or number of a choice; a form as JSON or as lines of ' +
        '`field: value`, of one field alone its value; `done` once the page was opened.',
    ),
};
export const NewAnswer = wire(answerFields).meta({
  id: 'NewAnswer',
  description: 'An answer: `answer` or `text`, one of them.',
});
