import { checkMedia } from './media-rules.js';
import { checkCall, checkCallId, checkFunctions, checkImageUrl } from './openai-rules.js';
import { asList, isObject, type Json, type JsonObject, must, Refused, textOf } from './wire.js';

const MAX_ID = 40;
const MAX_AUDIO_BYTES = 20 * 1_048_576;

/** https://platform.openai.com/docs/api-reference/chat/create */
export function checkOpenAiChat(body: JsonObject): void {
  must(textOf(body['model']), 'you must provide a model parameter');
  must(Array.isArray(body['messages']) && body['messages'].length > 0, "Invalid 'messages': empty array");
  const tools = asList(body['tools']);
  must(body['tools'] === undefined || tools.length > 0, "Invalid 'tools': empty array");
  for (const tool of tools)
    must(tool['type'] === 'function' && isObject(tool['function']), "Invalid value: 'tools[].type'");
  checkFunctions(tools.map(({ function: declared }) => (isObject(declared) ? declared : {})));
  checkMessages(asList(body['messages']));
}

function checkMessages(messages: JsonObject[]): void {
  const seen = new Set<string>();
  let open = new Set<string>();
  for (const [index, message] of messages.entries()) {
    const where = `messages[${index}]`;
    if (message['role'] === 'tool') {
      checkCallId(message['tool_call_id'], `${where}.tool_call_id`, MAX_ID);
      must(
        open.delete(textOf(message['tool_call_id'])),
        `Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls'.`,
      );
      checkToolContent(message['content'], where);
      continue;
    }
    must(
      open.size === 0,
      `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following did not have response messages: ${[...open].join()}`,
    );
    open = checkMessage(message, where);
    for (const id of open) {
      must(!seen.has(id), `Invalid '${where}.tool_calls': the id ${id} was used before`);
      seen.add(id);
    }
  }
  must(open.size === 0, `The following tool_call_ids did not have response messages: ${[...open].join()}`);
  must(
    messages.at(-1)?.['role'] !== 'assistant',
    'the last message must not be of the assistant: prefill is not supported',
  );
}

/** Gives the ids of the calls it makes. */
function checkMessage(message: JsonObject, where: string): Set<string> {
  const { role, content } = message;
  if (role === 'assistant') {
    const calls = message['tool_calls'];
    must(
      calls === undefined || (Array.isArray(calls) && calls.length > 0),
      `Invalid '${where}.tool_calls': empty array`,
    );
    must(
      textOf(content) !== '' || calls !== undefined,
      `Invalid value for 'content': expected a string, got null (${where}) without tool_calls`,
    );
    return new Set(
      asList(calls).map(({ id, function: called }, at) => {
        checkCallId(id, `${where}.tool_calls[${at}].id`, MAX_ID);
        must(isObject(called), `Missing required parameter: '${where}.tool_calls[${at}].function'`);
        checkCall(called['name'], called['arguments'], `${where}.tool_calls[${at}].function`);
        return textOf(id);
      }),
    );
  }
  must(
    role === 'user' || role === 'system' || role === 'developer',
    `Invalid value: '${textOf(role)}' at ${where}.role`,
  );
  if (Array.isArray(content)) {
    must(content.length > 0, `Invalid '${where}.content': empty array`);
    asList(content).forEach((part, at) => checkPart(part, `${where}.content[${at}]`));
  } else must(textOf(content) !== '', `Invalid '${where}.content': empty`);
  return new Set();
}

function checkPart(part: JsonObject, where: string): void {
  switch (part['type']) {
    case 'text':
      return must(textOf(part['text']) !== '', `Invalid '${where}.text': empty string`);
    case 'image_url':
      return checkImageUrl(isObject(part['image_url']) ? part['image_url']['url'] : undefined, where);
    case 'input_audio': {
      const audio = isObject(part['input_audio']) ? part['input_audio'] : {};
      return checkMedia(audio['format'], audio['data'], where, ['wav', 'mp3'], MAX_AUDIO_BYTES);
    }
    default:
      throw new Refused(400, `Invalid value: '${textOf(part['type'])}' at ${where}.type`);
  }
}

function checkToolContent(content: Json | undefined, where: string): void {
  if (Array.isArray(content))
    for (const part of asList(content))
      must(part['type'] === 'text', `Invalid value at ${where}.content: a tool's message has text alone`);
  else must(typeof content === 'string', `Invalid type for '${where}.content'`);
  // 2 MB of base64 as text is a context of a million tokens.
  must(!/[A-Za-z0-9+/]{20000}/.test(JSON.stringify(content)), `${where}.content: base64 in a text`);
}
