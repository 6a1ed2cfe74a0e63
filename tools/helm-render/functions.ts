import { stringify } from 'yaml';

export type Value = unknown;
export type TemplateFunction = (...args: Value[]) => Value;

/** As Go's templates judge: empty collections, zero and nothing are false. */
export function isTrue(value: Value): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

export function textOf(value: Value): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new TypeError(`an object where text was wanted: ${JSON.stringify(value)}`);
}

const toYaml = (value: Value) =>
  stringify(value, { lineWidth: 0, sortMapEntries: true, aliasDuplicateObjects: false }).trimEnd();
const indent = (by: Value, text: Value) =>
  textOf(text)
    .split('\n')
    .map((line) => ' '.repeat(Number(by)) + line)
    .join('\n');

/** The functions of Go's templates, of Sprig and of Helm that the chart uses, and no others. */
export const functions: Record<string, TemplateFunction> = {
  and: (...values) => values.find((value) => !isTrue(value)) ?? values.at(-1),
  or: (...values) => values.find(isTrue) ?? values.at(-1),
  not: (value) => !isTrue(value),
  eq: (first, ...others) => others.some((other) => other === first),
  ne: (first, second) => first !== second,
  gt: (first, second) => Number(first) > Number(second),
  default: (fallback, value) => (isTrue(value) ? value : fallback),
  required: (message, value) => {
    if (value === undefined || value === null || value === '') throw new Error(textOf(message));
    return value;
  },
  fail: (message) => {
    throw new Error(textOf(message));
  },
  quote: (value) => (value === undefined || value === null ? '' : JSON.stringify(textOf(value))),
  toYaml,
  toJson: (value) => JSON.stringify(sorted(value)),
  indent,
  nindent: (by, text) => `\n${textOf(indent(by, text))}`,
  printf: (format, ...values) => textOf(format).replace(/%[sdv]/g, () => textOf(values.shift())),
  dict: (...pairs) =>
    Object.fromEntries(pairs.flatMap((key, index) => (index % 2 === 0 ? [[textOf(key), pairs[index + 1]]] : []))),
  list: (...values) => values,
  trunc: (length, text) => textOf(text).slice(0, Number(length)),
  trimSuffix: (suffix, text) => {
    const [end, whole] = [textOf(suffix), textOf(text)];
    return whole.endsWith(end) ? whole.slice(0, whole.length - end.length) : whole;
  },
  hasKey: (map, key) => typeof map === 'object' && map !== null && textOf(key) in map,
  has: (value, values) => Array.isArray(values) && values.includes(value),
  int: (value) => Math.trunc(Number(value)),
  toString: (value: Value) => textOf(value),
};

/** Go writes maps in the order of their keys. */
function sorted(value: Value): Value {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
