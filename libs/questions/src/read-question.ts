import { MAX_QUESTION_BYTES, Question } from '#lib/contracts';
import { z } from 'zod';

/** The question as it is kept, or why nobody can be asked it. */
export function readQuestion(raw: unknown): Question | { problem: string } {
  const parsed = Question.safeParse(storable(raw, 0));
  if (!parsed.success) return { problem: z.prettifyError(parsed.error).slice(0, 1_000) };
  const given = Object.entries(parsed.data).filter(([, value]) => value !== null && value !== undefined);
  const question = Object.fromEntries(given) as Question;
  if (given.length > 2) return { problem: 'choices, schema and url: one of them at most' };
  if (Buffer.byteLength(JSON.stringify(question)) > MAX_QUESTION_BYTES)
    return { problem: `the question is longer than ${MAX_QUESTION_BYTES} bytes` };
  return question;
}

/** What PostgreSQL holds as JSON: without NUL and halves of surrogate pairs. */
function storable(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.toWellFormed().replaceAll('\0', '');
  if (typeof value !== 'object' || value === null || depth > 10) return value;
  if (Array.isArray(value)) return value.map((item) => storable(item, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, storable(field, depth + 1)]));
}
