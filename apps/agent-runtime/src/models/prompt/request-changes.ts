import type {
  LanguageModelV4CallOptions,
  LanguageModelV4FunctionTool,
  LanguageModelV4Message,
  LanguageModelV4Prompt,
} from '@ai-sdk/provider';

const LEFT_OUT = { type: 'text' as const, text: '[a file, left out: the model does not take it]' };
/** Where Mistral wants an answer between the results of tools and the user's next word. */
const HAS_RESULTS: LanguageModelV4Message = {
  role: 'assistant',
  content: [{ type: 'text', text: '[I have the results.]' }],
};
const MAX_HINT = 1_000;

/** Tools of MCP servers; what others offer is ours and known to be taken. */
const isForeign = (name: string) => name.includes('__');

type UserParts = Extract<LanguageModelV4Message, { role: 'user' }>['content'];
type Request = Pick<LanguageModelV4CallOptions, 'prompt' | 'tools'>;

interface Change {
  /** In the words of servers. A model's name may say "thinking" as well. */
  named?: RegExp;
  /** Others refuse what it adds: nothing is tried by it. */
  isOnlyNamed?: true;
  /** Of what the others leave; they go in the order in which they were made. */
  isLast?: true;
  apply<R extends Request>(request: R): R;
}

/** What some providers want in a request and others refuse, each for reasons of its own. */
const CHANGES: Change[] = [
  {
    // DeepSeek and Kimi, of calls that another model made without a thought. Which one it was, they cannot know.
    named: /must be passed back|reasoning_content is missing/i,
    isOnlyNamed: true,
    apply: (request) => ({ ...request, prompt: request.prompt.map(withThought) }),
  },
  {
    // Groq, Cerebras and Mistral refuse the field; Anthropic, OpenAI and Google what another gateway or account signed.
    named: /(?<![-\w])(?:reasoning|thinking|thought|extra_content)|encrypted.content/i,
    apply: (request) => ({ ...request, prompt: request.prompt.map(withoutThoughts) }),
  },
  {
    // Files, for a model that only reads, and what an MCP server's schemas say.
    apply: withoutForeign,
  },
  {
    // The chat templates of Mistral's and Gemma's models, Mistral's service, and servers that take no list of texts: also
    // not of the text that stands for a file.
    isLast: true,
    named: /alternat|(unexpected|after) role|jinja|expected a string/i,
    apply: (request) => ({ ...request, prompt: alternating(request.prompt) }),
  },
];

/** What a turn's requests are changed in, by what its provider refused. */
export class RequestChanges {
  private readonly made = new Set<Change>();

  applyTo<R extends Request>(request: R): R {
    const inOrder = [...this.made].sort((one, other) => Number(one.isLast ?? false) - Number(other.isLast ?? false));
    return inOrder.reduce((changed, { apply }) => apply(changed), request);
  }

  /**
   * Changes this request and later ones: `named`, in what the provider's words name; `guessed`, in what most servers
   * refuse without a name for it, and after the next refusal in whatever is left. undefined: there is nothing to change.
   */
  makeAfter(refusal: string, request: Request): 'named' | 'guessed' | undefined {
    const refused = this.applyTo(request);
    const left = CHANGES.filter((one) => !this.made.has(one) && isOther(refused, one.apply(refused)));
    const named = left.find((one) => one.named?.test(refusal));
    if (named) {
      this.made.add(named);
      return 'named';
    }
    const unnamed = left.find((one) => !one.named);
    const guessed = unnamed ? [unnamed] : left.filter(({ isOnlyNamed }) => !isOnlyNamed);
    for (const one of guessed) this.made.add(one);
    return guessed.length > 0 ? 'guessed' : undefined;
  }
}

const isOther = (one: Request, other: Request) =>
  JSON.stringify([one.prompt, one.tools]) !== JSON.stringify([other.prompt, other.tools]);

function withoutForeign<R extends Request>(request: R): R {
  const tools = request.tools?.map((tool) =>
    tool.type === 'function' && isForeign(tool.name) ? reducedTool(tool) : tool,
  );
  return { ...request, prompt: withoutFiles(request.prompt), ...(tools ? { tools } : {}) };
}

function reducedTool(tool: LanguageModelV4FunctionTool): LanguageModelV4FunctionTool {
  const hint = JSON.stringify(tool.inputSchema.properties ?? {});
  return {
    ...tool,
    description: `${(tool.description ?? '').slice(0, MAX_HINT)}\nArguments: ${hint}`.slice(0, MAX_HINT),
    inputSchema: { type: 'object', properties: {}, additionalProperties: true },
  };
}

function withThought(message: LanguageModelV4Message): LanguageModelV4Message {
  if (message.role !== 'assistant' || message.content.some(({ type }) => type === 'reasoning')) return message;
  return { ...message, content: [{ type: 'reasoning', text: '…' }, ...message.content] };
}

/** What the model thought, and by which signatures its provider knows it again. */
function withoutThoughts(message: LanguageModelV4Message): LanguageModelV4Message {
  if (message.role !== 'assistant') return message;
  const content = message.content.flatMap((part) => {
    if (part.type === 'reasoning') return [];
    const { providerOptions: _, ...rest } = part;
    return [rest];
  });
  return { ...message, content };
}

/**
 * User and assistant by turns, each with one text. Not so for everyone: what is apart is better understood, such as a message
 * that takes the place of an interrupted one.
 */
function alternating(prompt: LanguageModelV4Prompt): LanguageModelV4Prompt {
  const shown: LanguageModelV4Prompt = [];
  for (const message of prompt) {
    const last = shown.at(-1);
    if (message.role !== 'user') {
      shown.push(message);
      continue;
    }
    if (last?.role === 'tool') shown.push(HAS_RESULTS);
    const before = last?.role === 'user' ? last.content : [];
    if (last?.role === 'user') shown.pop();
    shown.push({ ...message, content: joinedTexts([...before, ...message.content]) });
  }
  return shown;
}

function joinedTexts(parts: UserParts): UserParts {
  const joined: UserParts = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (part.type === 'text' && last?.type === 'text')
      joined[joined.length - 1] = { ...part, text: `${last.text}\n\n${part.text}` };
    else joined.push(part);
  }
  return joined;
}

function withoutFiles(prompt: LanguageModelV4Prompt): LanguageModelV4Prompt {
  return prompt.map((message) => {
    if (message.role === 'user')
      return { ...message, content: message.content.map((part) => (part.type === 'file' ? LEFT_OUT : part)) };
    if (message.role !== 'tool') return message;
    const content = message.content.map((part) => {
      if (part.type !== 'tool-result' || part.output.type !== 'content') return part;
      const texts = part.output.value.map((piece) => (piece.type === 'text' ? piece.text : LEFT_OUT.text));
      return { ...part, output: { type: 'text' as const, value: texts.join('\n') } };
    });
    return { ...message, content };
  });
}
