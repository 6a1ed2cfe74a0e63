import type { Schema } from './schema.js';

const TYPES = ['string', 'number', 'integer', 'boolean', 'array', 'object', 'null'];
const MAX_TEXT = 1_000;
const MAX_VALUES = 500;

const isCount = (value: unknown) => Number.isInteger(value) && Number(value) >= 0;
const isNumber = (value: unknown) => typeof value === 'number';
const isShort = (value: unknown) => typeof value === 'string' && value.length <= 200;

/** Keywords that stay as they are when their value is what the language says; others are left out. */
const CHECKS: Record<string, (value: unknown) => boolean> = {
  title: isShort,
  format: isShort,
  pattern: (value) => isShort(value) && isRegExp(String(value)),
  minimum: isNumber,
  maximum: isNumber,
  exclusiveMinimum: isNumber,
  exclusiveMaximum: isNumber,
  multipleOf: (value) => isNumber(value) && Number(value) > 0,
  minLength: isCount,
  maxLength: isCount,
  minItems: isCount,
  maxItems: isCount,
  uniqueItems: (value) => typeof value === 'boolean',
  default: (value) => value !== undefined && JSON.stringify(value).length <= MAX_TEXT,
};

/** The keywords of one schema that say nothing of schemas within it, as far as they are right. */
export function checkedKeywords(raw: Schema): Schema {
  const kept: Schema = {};
  const types = [...new Set([raw['type']].flat().filter((type) => typeof type === 'string' && TYPES.includes(type)))];
  if (types.length > 0) kept['type'] = types.length === 1 ? types[0] : types;
  if (typeof raw['description'] === 'string') kept['description'] = raw['description'].slice(0, MAX_TEXT);
  const values = 'const' in raw ? [raw['const']] : raw['enum'];
  if (Array.isArray(values) && values.length > 0) kept['enum'] = distinct(values).slice(0, MAX_VALUES);
  for (const [keyword, isRight] of Object.entries(CHECKS))
    if (Object.hasOwn(raw, keyword) && isRight(raw[keyword])) kept[keyword] = raw[keyword];
  return kept;
}

function distinct(values: unknown[]): unknown[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}

function isRegExp(pattern: string): boolean {
  try {
    new RegExp(pattern, 'u');
    return true;
  } catch {
    return false;
  }
}
