import { MAX_ANSWER_BYTES, type Question, type QuestionField, type QuestionSchema } from '#lib/contracts';
import { z } from 'zod';
import { optionsOf } from './options.js';

/** Where an answer is wrong, and what would be right. `field`: of a form; null: the answer itself. */
export interface AnswerProblem {
  field: string | null;
  message: string;
}

const FORMATS = {
  email: [z.email(), 'an e-mail address'],
  uri: [z.url(), 'an address such as https://example.com'],
  date: [z.iso.date(), 'a date such as 2026-01-31'],
  'date-time': [z.iso.datetime({ offset: true }), 'a time such as 2026-01-31T12:00:00Z'],
} as const;

/** What is wrong with an answer; undefined when it is what was asked for. */
export function answerProblem({ choices, schema, url }: Question, answer: unknown): AnswerProblem | undefined {
  const wrong = (message: string, field: string | null = null) => ({ field, message });
  if (Buffer.byteLength(JSON.stringify(answer) ?? '') > MAX_ANSWER_BYTES)
    return wrong(`longer than ${MAX_ANSWER_BYTES} bytes as JSON`);
  if (url) return answer === true ? undefined : wrong('must be true, once the page was opened');
  if (schema) return formProblem(schema, answer);
  if (typeof answer !== 'string') return wrong('must be a text');
  if (choices) return choices.includes(answer) ? undefined : wrong(`must be one of: ${choices.join(', ')}`);
  return answer.trim() === '' ? wrong('must not be empty') : undefined;
}

function formProblem({ properties, required = [] }: QuestionSchema, answer: unknown): AnswerProblem | undefined {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer))
    return { field: null, message: `must be an object with the fields ${Object.keys(properties).join(', ')}` };
  const given = new Map(Object.entries(answer as Record<string, unknown>));
  for (const name of given.keys())
    if (!Object.hasOwn(properties, name)) return { field: name, message: 'is not one of the fields' };
  for (const [name, field] of Object.entries(properties)) {
    const value = given.get(name);
    if (value === undefined) {
      if (required.includes(name)) return { field: name, message: 'is required' };
      continue;
    }
    const message = valueProblem(field, value);
    if (message !== undefined) return { field: name, message };
  }
  return undefined;
}

function valueProblem(field: QuestionField, value: unknown): string | undefined {
  switch (field.type) {
    case 'string':
      return typeof value === 'string' ? textProblem(field, value) : 'must be a text';
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'must be true or false';
    case 'array':
      return listProblem(field, value);
    default: {
      const { minimum = -Infinity, maximum = Infinity } = field;
      if (typeof value !== 'number' || !Number.isFinite(value)) return 'must be a number';
      if (field.type === 'integer' && !Number.isInteger(value)) return 'must be a whole number';
      return value < minimum || value > maximum ? `must be from ${minimum} to ${maximum}` : undefined;
    }
  }
}

function textProblem(field: Extract<QuestionField, { type: 'string' }>, value: string): string | undefined {
  const { minLength = 0, maxLength = Infinity, format } = field;
  const options = optionsOf(field);
  if (options && !options.some((option) => option.value === value)) return oneOf(options);
  // By characters, as JSON Schema counts.
  const { length } = [...value];
  if (length < minLength || length > maxLength) return `must have ${minLength} to ${maxLength} characters`;
  if (!format) return undefined;
  const [schema, example] = FORMATS[format];
  return schema.safeParse(value).success ? undefined : `must be ${example}`;
}

function listProblem(field: Extract<QuestionField, { type: 'array' }>, value: unknown): string | undefined {
  const options = optionsOf(field) ?? [];
  const { minItems = 0, maxItems = Infinity } = field;
  if (!Array.isArray(value)) return 'must be a list';
  const chosen: unknown[] = value;
  if (new Set(chosen).size !== chosen.length) return 'must have each only once';
  if (!chosen.every((one) => options.some((option) => option.value === one))) return oneOf(options);
  return chosen.length < minItems || chosen.length > maxItems
    ? `must have ${minItems} to ${maxItems} of them`
    : undefined;
}

const oneOf = (options: { value: string }[]) =>
  `must be of: ${options
    .map(({ value }) => value)
    .join(', ')
    .slice(0, 500)}`;
