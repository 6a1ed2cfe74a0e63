import type { IncomingHttpHeaders } from 'node:http';
import { checkMedia } from './media-rules.js';
import { checkJsonSchema, checkTopLevel, walkSchema } from './schema-rules.js';
import { asList, isObject, type Json, type JsonObject, must, Refused, textOf } from './wire.js';

const MAX_IMAGE_BYTES = 5 * 1_048_576;
const IMAGES = ['image/jpeg', 'image/png', 'image/gif', 'image/webp'];
const ID = /^[a-zA-Z0-9_-]+$/;
const NAME = /^[a-zA-Z0-9_-]{1,128}$/;
const PROPERTY = /^[a-zA-Z0-9_.-]{1,64}$/;

/** https://docs.anthropic.com/en/api/messages and the messages with which the service refuses. */
export function checkAnthropic(body: JsonObject, headers: IncomingHttpHeaders): void {
  if (!headers['x-api-key'] && !headers.authorization) throw new Refused(401, 'x-api-key header is required');
  must(headers['anthropic-version'], 'anthropic-version: header is required');
  must(textOf(body['model']), 'model: Field required');
  must(Number.isInteger(body['max_tokens']) && Number(body['max_tokens']) >= 1, 'max_tokens: Field required');
  if (body['system'] !== undefined) checkSystem(body['system']);
  asList(body['tools']).forEach(checkTool);
  const names = asList(body['tools']).map(({ name }) => name);
  must(new Set(names).size === names.length, 'tools: Tool names must be unique.');
  must(Array.isArray(body['messages']) && body['messages'].length > 0, 'messages: at least one message is required');
  checkMessages(asList(body['messages']));
  const marked = JSON.stringify(body).split('"cache_control":{').length - 1;
  must(marked <= 4, `A maximum of 4 blocks with cache_control may be provided. Found ${marked}.`);
}

function checkSystem(system: Json): void {
  if (typeof system === 'string') return;
  must(Array.isArray(system), 'system: Input should be a valid list');
  for (const block of asList(system)) checkText(block, 'system');
}

function checkTool(tool: JsonObject, index: number): void {
  const where = `tools.${index}.custom`;
  must(NAME.test(textOf(tool['name'])), `${where}.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'`);
  const schema = tool['input_schema'];
  must(isObject(schema) && 'type' in schema, `${where}.input_schema.type: Field required`);
  checkTopLevel(schema, `${where}.input_schema`, ['oneOf', 'anyOf', 'allOf']);
  checkJsonSchema(schema, `${where}.input_schema`);
  walkSchema(schema, ({ properties }) => {
    for (const key of Object.keys(isObject(properties) ? properties : {}))
      must(
        PROPERTY.test(key),
        `${where}.input_schema.properties: Property keys should match pattern '^[a-zA-Z0-9_.-]{1,64}$'`,
      );
  });
}

function checkMessages(messages: JsonObject[]): void {
  must(messages[0]?.['role'] === 'user', 'messages: first message must use the "user" role');
  const seen = new Set<string>();
  let open: string[] = [];
  // Messages of one role in a row are one turn.
  for (const [index, { role, blocks }] of turnsOf(messages).entries()) {
    const where = `messages.${index}.content`;
    must(role === 'user' || role === 'assistant', `messages.${index}.role: Input should be 'user' or 'assistant'`);
    must(blocks.length > 0, `messages.${index}: all messages must have non-empty content`);
    blocks.forEach((block, at) => checkBlock(block, `${where}.${at}`));
    const uses = blocks.filter(({ type }) => type === 'tool_use').map(({ id }) => textOf(id));
    const results = blocks.filter(({ type }) => type === 'tool_result').map(({ tool_use_id: id }) => textOf(id));
    const first = blocks.findIndex(({ type }) => type !== 'tool_result');
    must(
      open.every((id) => results.includes(id)) && (open.length === 0 || first < 0 || first >= results.length),
      `${where}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${open.join()}`,
    );
    for (const id of results)
      must(open.includes(id), `${where}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${id}`);
    must(new Set(results).size === results.length, `${where}: each tool_use must have a single result`);
    for (const id of uses) {
      must(role === 'assistant', `${where}: \`tool_use\` blocks can only be in assistant messages`);
      must(!seen.has(id), `${where}: \`tool_use\` ids must be unique`);
      seen.add(id);
    }
    open = uses;
  }
  must(open.length === 0, `messages: \`tool_use\` ids were found without \`tool_result\` blocks: ${open.join()}`);
  must(
    messages.at(-1)?.['role'] === 'user',
    'This model does not support assistant message prefill. The conversation must end with a user message.',
  );
}

function turnsOf(messages: JsonObject[]): { role: string; blocks: JsonObject[] }[] {
  const turns: { role: string; blocks: JsonObject[] }[] = [];
  for (const { role, content } of messages) {
    const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : asList(content);
    const last = turns.at(-1);
    if (last && last.role === role) last.blocks.push(...blocks);
    else turns.push({ role: textOf(role), blocks: [...blocks] });
  }
  return turns;
}

function checkText(block: JsonObject, where: string): void {
  must(textOf(block['text']) !== '', `${where}: text content blocks must be non-empty`);
  must(textOf(block['text']).trim() !== '', `${where}: text content blocks must contain non-whitespace text`);
}

function checkBlock(block: JsonObject, where: string): void {
  switch (block['type']) {
    case 'text':
      return checkText(block, where);
    case 'image':
    case 'document': {
      const source = isObject(block['source']) ? block['source'] : {};
      const types = block['type'] === 'image' ? IMAGES : ['application/pdf', 'text/plain'];
      return checkMedia(source['media_type'], source['data'], where, types, MAX_IMAGE_BYTES);
    }
    case 'thinking':
      return must(textOf(block['signature']), `${where}.thinking.signature: Field required`);
    case 'tool_use':
      must(ID.test(textOf(block['id'])), `${where}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'`);
      must(NAME.test(textOf(block['name'])), `${where}.tool_use.name: String should match pattern '${NAME.source}'`);
      return must(isObject(block['input']), `${where}.tool_use.input: Input should be a valid dictionary`);
    case 'tool_result': {
      must(ID.test(textOf(block['tool_use_id'])), `${where}.tool_result.tool_use_id: String should match pattern`);
      const content = block['content'];
      must(
        block['is_error'] !== true || (Array.isArray(content) ? content.length > 0 : textOf(content).trim() !== ''),
        `${where}.tool_result: content cannot be empty if \`is_error\` is true`,
      );
      return asList(content).forEach((part, at) => checkBlock(part, `${where}.tool_result.content.${at}`));
    }
    default:
      throw new Refused(
        400,
        `${where}: Input tag '${textOf(block['type'])}' found using 'type' does not match any of the expected tags`,
      );
  }
}
