import { checkMedia, dataUrl } from './media-rules.js';
import { checkJsonSchema, checkTopLevel, walkSchema } from './schema-rules.js';
import { checkPairs } from './text-rules.js';
import { isObject, type Json, type JsonObject, must, textOf } from './wire.js';

const NAME = /^[a-zA-Z0-9_-]{1,64}$/;
const MAX_TOOLS = 128;
const MAX_DESCRIPTION = 1_024;
const MAX_IMAGE_BYTES = 20 * 1_048_576;
const IMAGES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];

/** https://platform.openai.com/docs/guides/function-calling: what both of OpenAI's wires ask of functions. */
export function checkFunctions(functions: JsonObject[]): void {
  must(functions.length <= MAX_TOOLS, `Invalid 'tools': array too long. Expected at most ${MAX_TOOLS}`);
  functions.forEach((declared, index) => checkFunction(declared, `tools[${index}].function`));
  const names = functions.map(({ name }) => name);
  must(new Set(names).size === names.length, "Invalid 'tools': function names must be unique");
}

function checkFunction({ name, description, parameters, strict }: JsonObject, where: string): void {
  must(
    NAME.test(textOf(name)),
    `Invalid '${where}.name': string does not match pattern '^[a-zA-Z0-9_-]+$' of at most 64`,
  );
  must(
    textOf(description).length <= MAX_DESCRIPTION,
    `Invalid '${where}.description': string too long. Expected a string with maximum length ${MAX_DESCRIPTION}`,
  );
  const at = `Invalid schema for function '${textOf(name)}'`;
  must(isObject(parameters), `${at}: schema must be an object`);
  checkTopLevel(parameters, at, ['oneOf', 'anyOf', 'allOf', 'enum', 'not']);
  checkJsonSchema(parameters, at);
  walkSchema(parameters, (schema, path) => {
    must(
      schema['type'] !== 'array' || 'items' in schema || 'prefixItems' in schema,
      `${at}: In context=${path}, array schema missing items.`,
    );
    if (strict !== true || schema['type'] !== 'object') return;
    const properties = Object.keys(isObject(schema['properties']) ? schema['properties'] : {});
    const required = Array.isArray(schema['required']) ? schema['required'] : [];
    must(
      schema['additionalProperties'] === false,
      `${at}: 'additionalProperties' is required to be supplied and to be false`,
    );
    must(
      properties.every((key) => required.includes(key)),
      `${at}: 'required' is required to be supplied and to include every key in properties`,
    );
  });
}

/** A call's name and arguments in the history. */
export function checkCall(name: Json | undefined, args: Json | undefined, where: string): void {
  must(NAME.test(textOf(name)), `Invalid '${where}.name': string does not match pattern '^[a-zA-Z0-9_-]+$'`);
  must(typeof args === 'string', `Invalid type for '${where}.arguments': expected a string`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(args);
  } catch {
    parsed = undefined;
  }
  // OpenAI itself takes any text; servers that fill it into a model's template do not.
  must(isObject(parsed), `Invalid '${where}.arguments': expected the text of a JSON object`);
  checkPairs(parsed);
}

export function checkCallId(id: Json | undefined, where: string, max: number): void {
  must(textOf(id) !== '', `Missing required parameter: '${where}'.`);
  must(textOf(id).length <= max, `Invalid '${where}': string too long. Expected a string with maximum length ${max}`);
}

export function checkImageUrl(url: Json | undefined, where: string): void {
  const inline = dataUrl(url);
  must(inline, `Invalid '${where}': only data URLs are taken by this double`);
  checkMedia(inline.mediaType, inline.data, where, IMAGES, MAX_IMAGE_BYTES);
}
