import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4Content,
  LanguageModelV4FinishReason,
  LanguageModelV4GenerateResult,
  LanguageModelV4Prompt,
  LanguageModelV4StreamPart,
  LanguageModelV4StreamResult,
  LanguageModelV4ToolResultPart,
  LanguageModelV4Usage,
} from '@ai-sdk/provider';
import { type DemoIntent, intentOf } from './demo-intents.js';
import { estimateTokens } from './tokens.js';

/**
 * The built-in model: deterministic, without network or key. It understands a few plain requests, carries them
 * out with the agent's real tools, one after the other, and reports what came of it. The same prompt gives the same
 * answer. Not promised: any understanding beyond those requests; it says so itself.
 */
export class DemoModel implements LanguageModelV4 {
  readonly specificationVersion = 'v4';
  readonly provider = 'roost';
  readonly modelId = 'demo';
  readonly supportedUrls = {};

  doGenerate(options: LanguageModelV4CallOptions): Promise<LanguageModelV4GenerateResult> {
    const answer = answerTo(options);
    return Promise.resolve({
      content: [contentOf(answer)],
      finishReason: finishOf(answer),
      usage: usageOf(options, answer),
      warnings: [],
    });
  }

  doStream(options: LanguageModelV4CallOptions): Promise<LanguageModelV4StreamResult> {
    options.abortSignal?.throwIfAborted();
    const stream = new ReadableStream<LanguageModelV4StreamPart>({
      // All at once: a stream that is asked for each part costs more than the answer.
      start(controller) {
        for (const part of partsOf(options, answerTo(options))) controller.enqueue(part);
        controller.close();
      },
    });
    return Promise.resolve({ stream });
  }
}

/** How the part of a message begins that says what its sender gave along. */
const METADATA = '[metadata: ';

type DemoAnswer = { kind: 'text'; text: string } | { kind: 'tool'; callId: string; intent: DemoIntent };

function answerTo({ prompt, tools }: LanguageModelV4CallOptions): DemoAnswer {
  const { texts, results, turn } = lastExchange(prompt);
  const intents = texts.map(intentOf).filter((intent) => intent !== null);
  const offered = new Set(tools?.map((tool) => tool.name));
  const next = intents[results.length];
  if (next && offered.has(next.tool)) return { kind: 'tool', callId: `demo_${turn}_${results.length}`, intent: next };
  if (intents.length > 0 && results.length > 0) {
    return { kind: 'text', text: results.map((result, index) => summaryOf(intents[index], result)).join('\n\n') };
  }
  return { kind: 'text', text: talk(texts.at(-1) ?? '', [...offered]) };
}

/** The user's latest texts, what tools answered since, and how many user messages there were. */
function lastExchange(prompt: LanguageModelV4Prompt): {
  texts: string[];
  results: LanguageModelV4ToolResultPart[];
  turn: number;
} {
  const lastUser = prompt.findLastIndex((message) => message.role === 'user');
  const user = prompt[lastUser];
  const texts =
    user?.role === 'user'
      ? user.content.flatMap((part) => (part.type === 'text' && !part.text.startsWith(METADATA) ? [part.text] : []))
      : [];
  const results = prompt
    .slice(lastUser + 1)
    .flatMap((message) =>
      message.role === 'tool' ? message.content.filter((part) => part.type === 'tool-result') : [],
    );
  return { texts, results, turn: prompt.filter((message) => message.role === 'user').length };
}

function summaryOf(intent: DemoIntent | undefined, result: LanguageModelV4ToolResultPart): string {
  const { text, isError } = outputOf(result);
  if (!intent || isError) return `The tool ${result.toolName} did not succeed: ${text}`;
  switch (intent.tool) {
    case 'write_file':
      return `I wrote ${Buffer.byteLength(intent.input['content'] ?? '')} bytes to ${intent.input['path']}.`;
    case 'read_file':
      return `${intent.input['path']} holds:\n\n${fenced(text)}`;
    case 'list_files':
      return text.trim()
        ? `These files are in ${intent.input['path'] || 'the workspace'}:\n\n${fenced(text)}`
        : 'There are no files yet.';
    case 'ask_human':
      return `You answered: ${text}`;
    case 'bash':
      return `I ran \`${intent.input['command']}\`:\n\n${fenced(text)}`;
  }
}

function outputOf({ output }: LanguageModelV4ToolResultPart): { text: string; isError: boolean } {
  switch (output.type) {
    case 'text':
      return { text: output.value, isError: false };
    case 'error-text':
      return { text: output.value, isError: true };
    case 'execution-denied':
      return { text: output.reason ?? 'not allowed', isError: true };
    case 'json':
    case 'error-json':
      return { text: JSON.stringify(output.value), isError: output.type === 'error-json' };
    case 'content':
      return {
        text: output.value.map((part) => (part.type === 'text' ? part.text : `[${part.type}]`)).join('\n'),
        isError: false,
      };
  }
}

function fenced(text: string): string {
  return `\`\`\`\n${text.replace(/\n$/, '')}\n\`\`\``;
}

function talk(text: string, tools: string[]): string {
  const greeting = /^\s*(hi|hello|hey|good (morning|evening|day))\b/i.test(text) ? 'Hello! ' : '';
  const quoted = greeting || text.trim() === '' ? '' : `You said: “${text.trim().slice(0, 200)}”. `;
  const abilities = tools.includes('bash')
    ? 'I can already work in my workspace: try “write hello to notes.txt”, “read notes.txt”, “list files” or “run: uname -a”. '
    : '';
  return `${greeting}${quoted}I am Roost’s built-in demo model: I need no key and no network, and I understand only a few plain requests. ${abilities}For a real conversation, give me a model: set a provider key such as ANTHROPIC_API_KEY, or the agent’s own key and configuration.model.`;
}

function contentOf(answer: DemoAnswer): LanguageModelV4Content {
  return answer.kind === 'text'
    ? { type: 'text', text: answer.text }
    : {
        type: 'tool-call',
        toolCallId: answer.callId,
        toolName: answer.intent.tool,
        input: JSON.stringify({ ...answer.intent.input, ...answer.intent.answers }),
      };
}

function* partsOf(options: LanguageModelV4CallOptions, answer: DemoAnswer): Generator<LanguageModelV4StreamPart> {
  yield { type: 'stream-start', warnings: [] };
  if (answer.kind === 'text') {
    yield { type: 'text-start', id: '0' };
    for (const delta of answer.text.match(/[\s\S]{1,24}(?:\s|$)|[\s\S]{1,24}/g) ?? [])
      yield { type: 'text-delta', id: '0', delta };
    yield { type: 'text-end', id: '0' };
  } else {
    const input = JSON.stringify({ ...answer.intent.input, ...answer.intent.answers });
    yield { type: 'tool-input-start', id: answer.callId, toolName: answer.intent.tool };
    yield { type: 'tool-input-delta', id: answer.callId, delta: input };
    yield { type: 'tool-input-end', id: answer.callId };
    yield { type: 'tool-call', toolCallId: answer.callId, toolName: answer.intent.tool, input };
  }
  yield { type: 'finish', finishReason: finishOf(answer), usage: usageOf(options, answer) };
}

function finishOf(answer: DemoAnswer): LanguageModelV4FinishReason {
  return { unified: answer.kind === 'text' ? 'stop' : 'tool-calls', raw: undefined };
}

function usageOf({ prompt }: LanguageModelV4CallOptions, answer: DemoAnswer): LanguageModelV4Usage {
  const input = estimateTokens(JSON.stringify(prompt));
  const output = Math.max(1, estimateTokens(answer.kind === 'text' ? answer.text : JSON.stringify(answer.intent)));
  return {
    inputTokens: { total: input, noCache: input, cacheRead: 0, cacheWrite: 0 },
    outputTokens: { total: output, text: output, reasoning: 0 },
  };
}
