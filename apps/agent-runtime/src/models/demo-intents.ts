/** One thing that a plain sentence asks for, as a tool call and how to report it afterwards. */
export interface DemoIntent {
  tool: 'write_file' | 'read_file' | 'list_files' | 'bash' | 'ask_human';
  input: Record<string, string>;
  /** Of a question, beside it. */
  answers?: { choices: string[] } | { schema: unknown };
}

const FILE = /[`"']?(?<path>[\w./@+-]*[\w@+-])[`"']?/.source;

/** `ask: Which one? | red | blue`, or a JSON Schema in place of the choices. */
const QUESTION = /^(?:please\s+)?ask\s*:\s*(?<question>[^|]+)(?:\|(?<answers>[\s\S]+))?$/i;

const PATTERNS: {
  tool: DemoIntent['tool'];
  pattern: RegExp;
  input: (groups: Record<string, string | undefined>) => Record<string, string>;
}[] = [
  // "run:" first: what follows is a command, whatever words are in it.
  {
    tool: 'bash',
    pattern: /^(?:please\s+)?(?:run|execute)\s*:\s*(?<command>[\s\S]+)$/i,
    input: (g) => ({ command: unquote(g['command'] ?? '', '`') }),
  },
  {
    tool: 'bash',
    pattern: /^(?:please\s+)?(?:run|execute)\s+`(?<command>[^`]+)`[.!]?$/i,
    input: (g) => ({ command: g['command'] ?? '' }),
  },
  {
    tool: 'write_file',
    pattern: new RegExp(
      `^(?:please\\s+)?(?:create|write|make)\\s+(?:a\\s+|the\\s+)?file\\s+(?:named\\s+|called\\s+)?${FILE}\\s+(?:with|containing|saying)\\s*:?\\s+(?:the\\s+(?:text|content|words?)\\s+)?(?<content>[\\s\\S]+)$`,
      'i',
    ),
    input: (g) => ({ path: g['path'] ?? '', content: unquote(g['content'] ?? '') }),
  },
  {
    tool: 'write_file',
    pattern: new RegExp(
      `^(?:please\\s+)?(?:write|save|put|store)\\s+(?<content>[\\s\\S]+?)\\s+(?:to|in|into)\\s+(?:a\\s+|the\\s+)?(?:file\\s+)?(?:named\\s+|called\\s+)?${FILE}[.!]?$`,
      'i',
    ),
    input: (g) => ({ path: g['path'] ?? '', content: unquote(g['content'] ?? '') }),
  },
  {
    tool: 'list_files',
    pattern: new RegExp(
      `^(?:please\\s+)?(?:list|show)\\s+(?:me\\s+)?(?:all\\s+)?(?:the\\s+|my\\s+)?files(?:\\s+(?:in|of|under)\\s+(?:the\\s+)?(?:folder\\s+|directory\\s+)?${FILE})?[.!?]?$`,
      'i',
    ),
    input: (g) => ({ path: g['path'] ?? '' }),
  },
  { tool: 'list_files', pattern: /^what files (?:are there|do (?:you|i) have)\??$/i, input: () => ({ path: '' }) },
  {
    tool: 'read_file',
    pattern: new RegExp(
      `^(?:please\\s+)?(?:read|open|show|print|cat)\\s+(?:me\\s+)?(?:the\\s+)?(?:(?:file|contents? of)\\s+)?(?:the\\s+)?${FILE}[.!?]?$`,
      'i',
    ),
    input: (g) => ({ path: g['path'] ?? '' }),
  },
];

/** The patterns take longer than a long text deserves. */
const MOST_CHARS = 10_000;

/** What a message plainly asks the demo model to do, null when it is only talk. */
export function intentOf(text: string): DemoIntent | null {
  const request = text.trim();
  if (request.length > MOST_CHARS) return null;
  const question = QUESTION.exec(request)?.groups;
  if (question)
    return {
      tool: 'ask_human',
      input: { question: (question['question'] ?? '').trim() },
      ...answersOf(question['answers']?.trim()),
    };
  for (const { tool, pattern, input } of PATTERNS) {
    const match = pattern.exec(request);
    if (match) return { tool, input: input(match.groups ?? {}) };
  }
  return null;
}

function answersOf(text: string | undefined): Pick<DemoIntent, 'answers'> {
  if (!text) return {};
  if (!text.startsWith('{')) return { answers: { choices: text.split('|').map((choice) => choice.trim()) } };
  try {
    return { answers: { schema: JSON.parse(text) as unknown } };
  } catch {
    return {};
  }
}

function unquote(text: string, quotes = '"\'`“”'): string {
  const trimmed = text.trim();
  const first = trimmed[0];
  const last = trimmed.at(-1);
  const isQuoted =
    trimmed.length > 1 && first !== undefined && last !== undefined && quotes.includes(first) && quotes.includes(last);
  return isQuoted ? trimmed.slice(1, -1) : trimmed;
}
