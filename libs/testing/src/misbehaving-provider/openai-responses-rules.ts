import { checkCall, checkCallId, checkFunctions, checkImageUrl } from './openai-rules.js';
import { asList, type Json, type JsonObject, must, Refused, textOf } from './wire.js';

const MAX_CALL_ID = 64;

/** https://platform.openai.com/docs/api-reference/responses/create, without anything stored at the service (`store: false`). */
export function checkOpenAiResponses(body: JsonObject): void {
  must(textOf(body['model']), 'you must provide a model parameter');
  const tools = asList(body['tools']);
  for (const tool of tools) must(tool['type'] === 'function', "Invalid value: 'tools[].type'");
  checkFunctions(tools);
  must(Array.isArray(body['input']) && body['input'].length > 0, "Invalid 'input': empty array");
  const input = asList(body['input']);
  const ids = input.flatMap(({ id }) => textOf(id) || []);
  for (const [index, id] of ids.entries())
    must(
      ids.indexOf(id) === index,
      `Duplicate item found with id ${id}. Remove duplicate items from your input and try again.`,
    );
  checkItems(input);
}

function checkItems(input: JsonObject[]): void {
  const open = new Set<string>();
  const seen = new Set<string>();
  for (const [index, item] of input.entries()) {
    const where = `input[${index}]`;
    switch (item['type'] ?? 'message') {
      case 'message':
        // The text of the model beside its calls comes back as it was put out.
        must(
          item['role'] === 'assistant' || open.size === 0,
          `No tool output found for function call ${[...open].join()}.`,
        );
        checkMessage(item, where);
        break;
      case 'function_call': {
        const id = textOf(item['call_id']);
        checkCallId(id, `${where}.call_id`, MAX_CALL_ID);
        checkItemId(item, 'fc', where);
        checkCall(item['name'], item['arguments'], where);
        must(!seen.has(id), `${where}: Duplicate function call ${id}`);
        seen.add(id);
        open.add(id);
        break;
      }
      case 'function_call_output':
        must(
          open.delete(textOf(item['call_id'])),
          `No tool call found for function call output with call_id ${textOf(item['call_id'])}.`,
        );
        checkOutput(item['output'], where);
        break;
      case 'reasoning': {
        checkItemId(item, 'rs', where);
        must(
          textOf(item['encrypted_content']),
          `Item with id '${textOf(item['id'])}' not found. Items are not persisted when \`store\` is set to false.`,
        );
        const next = input[index + 1];
        must(
          next && (next['type'] !== 'message' || next['role'] === 'assistant'),
          `Item '${textOf(item['id'])}' of type 'reasoning' was provided without its required following item.`,
        );
        break;
      }
      default:
        throw new Refused(400, `Invalid value: '${textOf(item['type'])}' at ${where}.type`);
    }
  }
  must(open.size === 0, `No tool output found for function call ${[...open].join()}.`);
}

function checkItemId(item: JsonObject, prefix: string, where: string): void {
  const id = item['id'];
  must(
    id === undefined || textOf(id).startsWith(prefix),
    `Invalid '${where}.id': '${textOf(id)}'. Expected an ID that begins with '${prefix}'.`,
  );
}

function checkMessage(item: JsonObject, where: string): void {
  const { role, content } = item;
  must(
    ['user', 'assistant', 'system', 'developer'].includes(textOf(role)),
    `Invalid value: '${textOf(role)}' at ${where}.role`,
  );
  if (role === 'assistant') checkItemId(item, 'msg', where);
  if (typeof content === 'string') return must(content !== '', `Invalid '${where}.content': empty`);
  must(Array.isArray(content) && content.length > 0, `Invalid '${where}.content': empty array`);
  const text = role === 'assistant' ? 'output_text' : 'input_text';
  for (const part of asList(content)) {
    if (part['type'] === 'input_image' && role === 'user') checkImageUrl(part['image_url'], where);
    else
      must(
        part['type'] === text && textOf(part['text']) !== '',
        `Invalid value: '${textOf(part['type'])}' at ${where}.content`,
      );
  }
}

function checkOutput(output: Json | undefined, where: string): void {
  if (Array.isArray(output)) {
    must(output.length > 0, `Invalid '${where}.output': empty array`);
    for (const part of asList(output)) {
      if (part['type'] === 'input_image') checkImageUrl(part['image_url'], where);
      else
        must(
          part['type'] === 'input_text' && textOf(part['text']) !== '',
          `Invalid value: '${textOf(part['type'])}' at ${where}.output`,
        );
    }
  } else must(typeof output === 'string', `Invalid type for '${where}.output'`);
}
