import type { Question, QuestionField, QuestionSchema } from '#lib/contracts';
import { optionsOf, type QuestionOption } from './options.js';

const YES = /^(true|yes|y|on|1)$/i;
const NO = /^(false|no|n|off|0)$/i;
const DONE = /^(done|ok|opened|true|yes|y)$/i;

/**
 * What somebody typed as the answer that a question asks for: the name or number of a choice; a form as JSON, as lines of
 * `field: value`, or of one field alone as its value. Whether it is right `answerProblem` says.
 */
export function answerOf({ choices, schema, url }: Question, text: string): unknown {
  const typed = text.trim();
  if (url) return DONE.test(typed) ? true : typed;
  if (choices)
    return chosen(
      choices.map((value) => ({ value, title: value })),
      typed,
    );
  return schema ? formOf(schema, typed) : text;
}

function formOf({ properties }: QuestionSchema, typed: string): unknown {
  if (typed.startsWith('{'))
    try {
      return JSON.parse(typed) as unknown;
    } catch {
      // Then it is a text.
    }
  const names = Object.keys(properties);
  const lines = typed.split('\n').map((line) => /^\s*([\w.-]+)\s*[:=]\s*(.*?)\s*$/.exec(line));
  if (lines.every((line) => line && names.includes(line[1] ?? '')))
    return Object.fromEntries(
      lines.flatMap((line) => {
        const [, name = '', value = ''] = line ?? [];
        const field = properties[name];
        return field ? [[name, valueOf(field, value)]] : [];
      }),
    );
  const [only] = names;
  const field = only === undefined ? undefined : properties[only];
  return names.length === 1 && field && only !== undefined ? { [only]: valueOf(field, typed) } : typed;
}

function valueOf(field: QuestionField, typed: string): unknown {
  const options = optionsOf(field);
  if (field.type === 'array') {
    const parts = typed === '' ? [] : typed.replace(/^\[|\]$/g, '').split(',');
    return parts.map((part) => chosen(options ?? [], part.trim().replace(/^"|"$/g, '')));
  }
  if (options) return chosen(options, typed);
  if (field.type === 'boolean') return YES.test(typed) ? true : NO.test(typed) ? false : typed;
  if (field.type === 'string') return typed;
  return typed !== '' && Number.isFinite(Number(typed)) ? Number(typed) : typed;
}

/** By its value, its title in any case, or its number from 1, in this order. */
function chosen(options: QuestionOption[], typed: string): string {
  const word = typed.toLowerCase();
  const found =
    options.find(({ value }) => value === typed) ??
    options.find(({ value, title }) => value.toLowerCase() === word || title.toLowerCase() === word) ??
    (/^\d{1,3}$/.test(typed) ? options[Number(typed) - 1] : undefined);
  return found?.value ?? typed;
}
