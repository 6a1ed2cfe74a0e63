import { type AskedRequest, asList, type JsonObject, must, Refused } from './wire.js';

/** What single servers ask besides the rules of their wire. Errors: Refused, in their words. */
export type ServerRule = (asked: Pick<AskedRequest, 'wire' | 'body'>) => void;

const MUST_ALTERNATE =
  'After the optional system message, conversation roles must alternate user/assistant/user/assistant/...';

/** The chat templates of Mistral's models: tool calls and their results are passed over. By vLLM; llama.cpp makes a 500 of it. */
export const rolesMustAlternate =
  (status = 400): ServerRule =>
  ({ wire, body }) => {
    if (wire !== 'openai-chat') return;
    const counted = withoutSystem(body).filter(({ role, tool_calls: calls }) => role !== 'tool' && calls === undefined);
    const isAlternating = counted.every(({ role }, at) => (role === 'user') === (at % 2 === 0));
    if (!isAlternating) throw new Refused(status, status < 500 ? MUST_ALTERNATE : `Jinja Exception: ${MUST_ALTERNATE}`);
  };

/** Mistral's own service. */
export const resultsMustBeAnswered: ServerRule = ({ wire, body }) => {
  if (wire !== 'openai-chat') return;
  const messages = asList(body['messages']);
  for (const [at, { role }] of messages.entries())
    must(role !== 'user' || messages[at - 1]?.['role'] !== 'tool', "Unexpected role 'user' after role 'tool'");
};

/** DeepSeek, before it took lists. */
export const textsMustBeOne: ServerRule = ({ wire, body }) => {
  if (wire !== 'openai-chat') return;
  for (const [at, { content }] of asList(body['messages']).entries())
    must(
      !Array.isArray(content) || asList(content).some(({ type }) => type !== 'text'),
      `Failed to deserialize the JSON body into the target type: messages[${at}]: invalid type: sequence, expected a string`,
    );
};

/** Groq and others of OpenAI's wire; on the other wires a server that does not know the signatures, since another gave them. */
export const thoughtsAreRefused: ServerRule = ({ wire, body }) => {
  switch (wire) {
    case 'openai-chat':
      for (const [at, message] of asList(body['messages']).entries())
        must(!('reasoning_content' in message), `'messages.${at}' : property 'reasoning_content' is unsupported`);
      return;
    case 'openai-responses':
      if (asList(body['input']).some(({ type }) => type === 'reasoning'))
        throw new Refused(400, 'The encrypted content could not be verified.', 'invalid_encrypted_content');
      return;
    case 'anthropic':
      for (const { content } of asList(body['messages']))
        for (const { type } of asList(content)) must(type !== 'thinking', 'Invalid `signature` in `thinking` block');
      return;
    case 'google':
      for (const { parts } of asList(body['contents']))
        for (const part of asList(parts))
          must(!part['thought'] && !('thoughtSignature' in part), 'Thought signature is not valid.');
  }
};

/** DeepSeek's thinking mode. */
export const thoughtsAreWanted: ServerRule = ({ wire, body }) => {
  if (wire !== 'openai-chat') return;
  for (const message of asList(body['messages']))
    must(
      message['tool_calls'] === undefined || 'reasoning_content' in message,
      'The `reasoning_content` in the thinking mode must be passed back to the API.',
    );
};

const withoutSystem = (body: JsonObject) => asList(body['messages']).filter(({ role }) => role !== 'system');
