import type { IncomingHttpHeaders } from 'node:http';
import { checkMedia } from './media-rules.js';
import { checkJsonSchema, walkSchema } from './schema-rules.js';
import { asList, isObject, type JsonObject, must, Refused, textOf } from './wire.js';

const NAME = /^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$/;
const MAX_INLINE_BYTES = 20 * 1_048_576;
const MEDIA = [
  'image/png',
  'image/jpeg',
  'image/webp',
  'image/heic',
  'image/heif',
  'application/pdf',
  'audio/wav',
  'audio/mp3',
  'audio/ogg',
  'audio/flac',
  'audio/aac',
  'audio/aiff',
];

/** The part of OpenAPI 3.0 that the service takes: https://ai.google.dev/api/caching#Schema */
const SCHEMA_FIELDS = new Set(
  'type format title description nullable enum maxItems minItems properties required minProperties maxProperties minLength maxLength pattern example anyOf propertyOrdering default items minimum maximum'.split(
    ' ',
  ),
);
const TYPES = ['string', 'number', 'integer', 'boolean', 'array', 'object', 'null'];
const FORMATS: Record<string, string[]> = {
  string: ['enum', 'date-time'],
  number: ['float', 'double'],
  integer: ['int32', 'int64'],
};

/** https://ai.google.dev/api/generate-content */
export function checkGoogle(body: JsonObject, headers: IncomingHttpHeaders): void {
  if (!headers['x-goog-api-key'])
    throw new Refused(403, "Method doesn't allow unregistered callers (callers without established identity).");
  const declared = asList(body['tools']).flatMap(({ functionDeclarations: list }) => asList(list));
  declared.forEach(checkDeclaration);
  const names = declared.map(({ name }) => name);
  const double = names.find((name, index) => names.indexOf(name) !== index);
  must(double === undefined, `Duplicate function declaration found: ${textOf(double)}`);
  must(
    Array.isArray(body['contents']) && body['contents'].length > 0,
    'GenerateContentRequest.contents: contents is not specified',
  );
  if (isObject(body['systemInstruction'])) asList(body['systemInstruction']['parts']).forEach(checkPart);
  checkContents(asList(body['contents']));
}

function checkDeclaration({ name, parameters, parametersJsonSchema }: JsonObject, index: number): void {
  const where = `GenerateContentRequest.tools[0].function_declarations[${index}]`;
  must(
    NAME.test(textOf(name)),
    `${where}.name: Invalid function name. Must start with a letter or an underscore. Must be alphameric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64.`,
  );
  if (parametersJsonSchema !== undefined) return checkJsonSchema(parametersJsonSchema, where);
  if (parameters === undefined) return;
  walkAll(parameters, where);
}

function walkAll(parameters: JsonObject[string], where: string): void {
  must(isObject(parameters) && parameters['type'] === 'object', `${where}.parameters: schema should be of type OBJECT`);
  must(
    !JSON.stringify(parameters).includes('"$ref"'),
    `Unknown name "$ref" at '${where}.parameters': Cannot find field.`,
  );
  let schemas = 0;
  walkSchema(parameters, (schema, path) => {
    schemas++;
    checkSchema(schema, `${where}.parameters${path}`);
  });
  must(schemas < 5_000, `${where}: the schema is too large`);
  checkJsonSchema(
    JSON.parse(JSON.stringify(parameters).replaceAll('"nullable":true', '"x":true')) as JsonObject,
    where,
  );
}

function checkSchema(schema: JsonObject, where: string): void {
  for (const key of Object.keys(schema))
    must(
      SCHEMA_FIELDS.has(key),
      `Invalid JSON payload received. Unknown name "${key}" at '${where}': Cannot find field.`,
    );
  const { type, properties, required, items, format } = schema;
  const values = schema['enum'];
  must(type === undefined || TYPES.includes(textOf(type)), `${where}.type: invalid value ${JSON.stringify(type)}`);
  must(type !== undefined || schema['anyOf'] !== undefined, `${where}.type: must be specified`);
  must(type !== 'array' || isObject(items), `${where}.items: missing field.`);
  if (values !== undefined) {
    must(type === 'string', `${where}.enum: only allowed for STRING type`);
    must(Array.isArray(values) && values.every((value) => textOf(value) !== ''), `${where}.enum: cannot be empty`);
  }
  must(
    format === undefined || (FORMATS[textOf(type)] ?? []).includes(textOf(format)),
    `${where}.format: only 'enum' and 'date-time' are supported for STRING type`,
  );
  for (const name of Array.isArray(required) ? required : [])
    must(
      isObject(properties) && textOf(name) in properties,
      `${where}.required: property is not defined: ${textOf(name)}`,
    );
}

function checkContents(contents: JsonObject[]): void {
  must(contents[0]?.['role'] === 'user', 'Please ensure that the conversation begins with a user turn.');
  let open: string[] = [];
  for (const [index, { role, parts }] of contents.entries()) {
    must(role === 'user' || role === 'model', 'Please use a valid role: user, model.');
    const list = asList(parts);
    must(list.length > 0, `GenerateContentRequest.contents[${index}].parts: contents.parts must not be empty.`);
    list.forEach(checkPart);
    const calls = list.flatMap(({ functionCall: call }) => (isObject(call) ? [call] : []));
    const answers = list.flatMap(({ functionResponse: answer }) => (isObject(answer) ? [answer] : []));
    if (open.length > 0 || answers.length > 0)
      must(
        role === 'user' && answers.length === open.length,
        'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.',
      );
    answers.forEach(({ name }, at) =>
      must(name === open[at], `function response ${textOf(name)} does not match the call ${open[at]}`),
    );
    if (calls.length > 0)
      must(
        role === 'model' && contents[index - 1]?.['role'] === 'user',
        'Please ensure that function call turn comes immediately after a user turn or after a function response turn.',
      );
    open = calls.map(({ name }) => textOf(name));
  }
  must(open.length === 0, 'Please ensure that function call turn is followed by a function response turn.');
  must(contents.at(-1)?.['role'] === 'user', 'Please ensure that the conversation ends with a user turn.');
}

function checkPart(part: JsonObject): void {
  const inline = part['inlineData'];
  if (isObject(inline)) return checkMedia(inline['mimeType'], inline['data'], 'inline_data', MEDIA, MAX_INLINE_BYTES);
  for (const key of ['functionCall', 'functionResponse']) {
    const value = part[key];
    if (!isObject(value)) continue;
    must(NAME.test(textOf(value['name'])), `${key}.name: Invalid function name.`);
    const given = key === 'functionCall' ? value['args'] : value['response'];
    return must(given === undefined || isObject(given), `${key}: Proto field is not repeating, cannot start list.`);
  }
  must(
    textOf(part['text']) !== '',
    "Unable to submit request because it must have a text parameter: required oneof field 'data' must have one initialized field",
  );
}
