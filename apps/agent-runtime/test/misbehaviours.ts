import {
  type Misbehaviour,
  type Reaction,
  type Script,
  type ScriptedAnswer,
  type ScriptedCall,
  type ServerRule,
  serverRules,
  type WireName,
} from '#lib/testing';

/**
 * What comes of a turn. `heals`: the whole answer, as if nothing had been · `fails`: permanently, or in all tries that it
 * gets · `says`: an answer of its own.
 */
export type Expected =
  { heals: true } | { fails: string; why?: string; inAllTries?: boolean } | { says: string | RegExp };

/** How a provider misbehaves in a conversation whose answers would be `good`, and what is to come of it. */
export interface Case {
  name: string;
  reactions(good: ScriptedAnswer[]): Script[];
  expected: Expected;
  /** Where it makes sense only with a tool call to begin with, or only in a conversation without an older one. */
  onlyWithTool?: boolean;
  /** The wires that have it; all without it. */
  over?: WireName[];
}

const over = (wires: WireName[], ...cases: Case[]): Case[] => cases.map((one) => ({ ...one, over: wires }));

/** Each answer is spoilt once, then given whole. */
const passing = (name: string, misbehaviour: Misbehaviour): Case => ({
  name,
  reactions: (good) => good.flatMap((answer) => [{ answer, misbehaviour }, { answer }]),
  expected: { heals: true },
});

/** The last answer never comes. */
const final = (name: string, misbehaviour: Misbehaviour, fails: string, why?: string): Case => ({
  name,
  reactions: (good) => [...good.slice(0, -1).map((answer) => ({ answer })), { misbehaviour }],
  expected: { fails, ...(why ? { why } : {}) },
});

/** The last answer is another. */
const odd = (name: string, answer: ScriptedAnswer, says: string | RegExp): Case => ({
  name,
  reactions: (good) => [...good.slice(0, -1).map((one) => ({ answer: one })), { answer }],
  expected: { says },
});

/** The tool calls are made in another way; the answers are the same. */
const oddCalls = (name: string, change: (call: ScriptedCall, step: number) => ScriptedCall[]): Case => ({
  name,
  onlyWithTool: true,
  reactions: (good) =>
    good.map((answer, step) => ({
      answer: { ...answer, ...(answer.calls ? { calls: answer.calls.flatMap((call) => change(call, step)) } : {}) },
    })),
  expected: { heals: true },
});

/** Each answer ends for the given reason, and comes whole the next time. */
const endsOnceFor = (reason: string): Case => ({
  name: `ends its answers for the reason “${reason}”`,
  reactions: (good) => good.flatMap((answer) => [{ answer: { ...answer, end: { unknown: reason } } }, { answer }]),
  expected: { heals: true },
});

/** The last answer fails in all tries of the turn. */
const lasting = (name: string, reaction: Reaction, why: string): Case => ({
  name,
  reactions: (good) => [...good.slice(0, -1).map((answer) => ({ answer })), reaction],
  expected: { fails: 'MODEL_FAILED', why, inAllTries: true },
});

/** Google could not read what its model wrote: nothing of it comes. */
const unread = (reason: string): Case => ({
  name: `could not read an answer: ${reason}`,
  reactions: (good) => good.flatMap((answer) => [{ answer: { end: { unknown: reason } } }, { answer }]),
  expected: { heals: true },
});

/** Each answer is written in another way. */
const otherwise = (name: string, misbehaviour: Misbehaviour): Case => ({
  name,
  reactions: (good) => good.map((answer) => ({ answer, misbehaviour })),
  expected: { heals: true },
});

const rewritten = (...replaced: [RegExp, string][]): Misbehaviour => ({
  kind: 'rewritten',
  rewrite: (frame) => replaced.reduce((text, [from, to]) => text.replaceAll(from, to), frame),
});
const NO_REASON: [RegExp, string] = [/"finish_reason":"\w+"/g, '"finish_reason":null'];

/** Something else comes before the good answers. */
const before = (name: string, ...first: ScriptedAnswer[]): Case => ({
  name,
  reactions: (good) => [...first, ...good].map((answer) => ({ answer })),
  expected: { heals: true },
});

/** The server asks for more than its wire does, and thinks before it calls a tool. */
const strict = (name: string, rules: ServerRule[], onlyWithTool = false): Case => ({
  name,
  onlyWithTool,
  reactions(good) {
    const answers = good.map((answer) => (answer.calls ? { ...answer, reasoning: 'Hm.' } : answer));
    let given = 0;
    return [
      (asked) => {
        for (const rule of rules) rule(asked);
        return { answer: answers[given++] ?? {} };
      },
    ];
  },
  expected: { heals: true },
});

/** With a tool, its step has text. */
const NOTHING = /the model ended its turn without saying anything|^I begin with it now\.$/;

/** In Anthropic's words. */
const NO_CREDIT = 'Your credit balance is too low to access the Anthropic API.';
const NO_ROOM = 'input length and `max_tokens` exceed context limit: 150000 + 64000 > 200000';

const status = (code: number, rest: { code?: string; message?: string; retryAfter?: number } = {}): Misbehaviour => ({
  kind: 'status',
  status: code,
  ...rest,
});

const asksForPage = (call: Partial<ScriptedCall>): ScriptedAnswer => ({
  calls: [{ name: 'schedule_list', args: {}, ...call }],
});

export const CASES: Case[] = [
  passing('resets the connection', { kind: 'reset' }),
  ...(['headers', 'text', 'call', 'end'] as const).flatMap((at) => [
    passing(`breaks off at: ${at}`, { kind: 'break', at }),
    passing(`ends early at: ${at}`, { kind: 'cut', at }),
  ]),
  passing('falls silent after the headers', { kind: 'stall', at: 'headers' }),
  passing('falls silent in the text', { kind: 'stall', at: 'text' }),
  passing('sends garbage first', { kind: 'garbage', at: 'headers' }),
  passing('sends garbage in the text', { kind: 'garbage', at: 'text' }),
  passing('reports an overload before the answer', { kind: 'error-event', at: 'headers' }),
  passing('reports an overload in the text', { kind: 'error-event', at: 'text' }),
  passing('reports an overload in a call', { kind: 'error-event', at: 'call' }),
  passing('reports a crash by its words alone', {
    kind: 'error-event',
    at: 'text',
    sent: { error: { message: 'the model crashed' } },
  }),
  passing('reports a crash by a text', { kind: 'error-event', at: 'text', sent: { error: 'the model crashed' } }),
  {
    name: 'is slow',
    reactions: (good) => good.map((answer) => ({ answer, misbehaviour: { kind: 'drip', pauseMs: 20 } })),
    expected: { heals: true },
  },
  passing('limits the rate', status(429)),
  passing('limits the rate until now', status(429, { retryAfter: 0 })),
  passing('limits the rate for an hour', status(429, { retryAfter: 3_600 })),
  passing('has an error', status(500)),
  passing('is away', status(503)),
  passing('is overloaded', status(529)),
  passing('is behind a proxy that shows a page', { kind: 'html', status: 502 }),
  passing('is behind a proxy that shows a page as an answer', { kind: 'html', status: 200 }),
  final('wants to be paid', status(402), 'MODEL_BILLING'),
  final('wants to be paid by its words alone', status(400, { message: NO_CREDIT }), 'MODEL_BILLING', NO_CREDIT),
  final(
    'wants to be paid in the middle of its answer',
    { kind: 'error-event', at: 'text', sent: { error: { code: 402, message: 'Insufficient credits' } } },
    'MODEL_BILLING',
    'Insufficient credits',
  ),
  final('has no quota left', status(429, { code: 'insufficient_quota' }), 'MODEL_BILLING'),
  final(
    'refuses the request',
    status(400, { message: 'top_k must not be odd' }),
    'MODEL_REFUSED_REQUEST',
    'top_k must not be odd',
  ),
  final('refuses the key', status(401), 'MODEL_KEY_REFUSED'),
  final('does not have the model', status(404), 'MODEL_NOT_FOUND'),
  final('finds the conversation too long permanently', status(413), 'MODEL_CONTEXT_TOO_LONG'),
  final('has no room for its answer permanently', status(400, { message: NO_ROOM }), 'MODEL_CONTEXT_TOO_LONG', NO_ROOM),
  final(
    'says within the stream that the request is wrong',
    { kind: 'error-event', at: 'headers', final: true },
    'MODEL_REFUSED_REQUEST',
  ),
  strict('refuses what it thought itself', [serverRules.thoughtsAreRefused], true),
  strict('wants to see what it thought', [serverRules.thoughtsAreWanted], true),
  strict('wants roles to alternate', [serverRules.rolesMustAlternate()]),
  strict('fails where roles do not alternate', [serverRules.rolesMustAlternate(500)]),
  strict('wants an answer to the results of tools', [serverRules.resultsMustBeAnswered]),
  strict('takes texts alone', [serverRules.textsMustBeOne]),
  strict('refuses all of these', [
    serverRules.thoughtsAreRefused,
    serverRules.resultsMustBeAnswered,
    serverRules.rolesMustAlternate(),
    serverRules.textsMustBeOne,
  ]),
  {
    name: 'refuses the request, and wants to see what it thought',
    reactions(good) {
      const [first, ...rest] = good.map((answer) => (answer.calls ? { ...answer, reasoning: 'Hm.' } : answer));
      const refuse: Script = (asked) => {
        serverRules.thoughtsAreWanted(asked);
        return { misbehaviour: status(400, { message: 'top_k must not be odd' }) };
      };
      return rest.length > 0 ? [{ answer: first ?? {} }, refuse] : [refuse];
    },
    expected: { fails: 'MODEL_REFUSED_REQUEST', why: 'top_k must not be odd' },
  },
  odd('answers nothing', {}, NOTHING),
  odd('answers with blanks', { text: ' \n\n ' }, NOTHING),
  odd('thinks and says nothing', { reasoning: 'Hm.' }, NOTHING),
  odd('speaks of tool calls and makes none', { text: 'I will.', end: 'calls' }, /I will\.$/),
  odd('reaches its output limit', { text: 'A long st', end: 'length' }, /A long st\n\n\[cut off/),
  odd(
    'reaches its output limit in every tool call',
    { ...asksForPage({ args: '{"pa' }), end: 'length' },
    /output limit cut its call of schedule_list off three times in a row\]$/,
  ),
  odd('is stopped by a filter', { text: 'How to', end: 'filter' }, /content filter stopped .*begin a new session\]$/),
  ...over(
    ['anthropic', 'google'],
    odd('is stopped by a filter that says why', { end: 'filter', explanation: 'It is unsafe.' }, /: It is unsafe\. If/),
  ),
  odd('answers at huge length', { text: 'x'.repeat(1_500_000) }, /x{900000}/),
  odd('has blanks around its words', { text: '\n\n So be it.' }, /So be it\.$/),
  before('calls a tool that does not exist', asksForPage({ name: 'launch_rocket' })),
  before('calls a tool by an impossible name', asksForPage({ name: 'functions.launch rocket: "ö"'.repeat(6) })),
  before('gives arguments that are no JSON', asksForPage({ args: '{"page": ' })),
  before('gives arguments that do not fit', asksForPage({ args: { page: 'two' } })),
  before('gives a list as arguments', asksForPage({ args: '[1]' })),
  before('reaches its output limit in a tool call', { ...asksForPage({ args: '{"pa' }), end: 'length' }),
  before('says blanks before a tool call', { ...asksForPage({}), text: '\n\n' }),
  before('thinks blanks before a tool call', { ...asksForPage({}), reasoning: '\n' }),
  ...['tool_use', 'eos', ''].map((unknown): Case => {
    const named = (answer: ScriptedAnswer) => (answer.calls ? { ...answer, end: { unknown } } : answer);
    return {
      name: `ends a step with calls for the reason “${unknown}”`,
      onlyWithTool: true,
      reactions: (good) => good.map((answer) => ({ answer: named(answer) })),
      expected: { heals: true },
    };
  }),
  ...over(
    ['openai-chat'],
    ...['insufficient_system_resource', 'error', 'network_error', 'abort'].map(endsOnceFor),
    lasting(
      'ends its answer for the reason “error” again and again',
      { answer: { text: 'Half of', end: { unknown: 'error' } } },
      'openai ended its answer for the reason “error”',
    ),
    odd('reaches a limit named model_length', { text: 'A long st', end: { unknown: 'model_length' } }, /\[cut off/),
    ...['sensitive', 'safety', 'moderation_block'].map((unknown) =>
      odd(`is stopped by a filter named ${unknown}`, { text: 'How to', end: { unknown } }, /content filter/),
    ),
    odd('ends its answer for a reason of its own', { text: 'That is all.', end: { unknown: 'eos' } }, /That is all\.$/),
  ),
  ...over(
    ['openai-chat', 'anthropic'],
    odd(
      'reaches the end of its context window',
      { text: 'A long st', end: { unknown: 'model_context_window_exceeded' } },
      /\[cut off/,
    ),
  ),
  ...over(
    ['google'],
    endsOnceFor('OTHER'),
    ...['LANGUAGE', 'IMAGE_PROHIBITED_CONTENT'].map((unknown) =>
      odd(`is stopped by a filter named ${unknown}`, { text: 'How to', end: { unknown } }, /content filter/),
    ),
    ...['MALFORMED_FUNCTION_CALL', 'UNEXPECTED_TOOL_CALL', 'TOO_MANY_TOOL_CALLS', 'MALFORMED_RESPONSE'].map(unread),
    {
      name: 'could not read what came after some words',
      reactions: (good) =>
        good.flatMap((answer, step) =>
          step < good.length - 1
            ? [{ answer }]
            : [{ answer: { text: 'I try.', end: { unknown: 'MALFORMED_FUNCTION_CALL' } } }, { answer }],
        ),
      expected: { says: /I try\.\n\nThis is the whole answer to [\w-]+\.$/ },
    },
    {
      name: 'can never read an answer',
      reactions: (good) => [
        ...good.slice(0, -1).map((answer) => ({ answer })),
        { answer: { end: { unknown: 'MALFORMED_FUNCTION_CALL' } } },
      ],
      expected: {
        fails: 'MODEL_FAILED',
        why: 'google could not read what the model wrote, three times in a row (MALFORMED_FUNCTION_CALL)',
      },
    },
  ),
  final(
    'wants to be paid under HTTP 200',
    { kind: 'json', sent: { error: { message: 'Insufficient balance', code: 402 } } },
    'MODEL_BILLING',
    'Insufficient balance',
  ),
  passing('is overloaded under HTTP 200', { kind: 'json', sent: [{ error: { message: 'busy', code: 503 } }] }),
  passing('has an error under HTTP 200', { kind: 'json', sent: { error: 'the model crashed' } }),
  lasting(
    'answers something else than a stream',
    { misbehaviour: { kind: 'json', sent: { base_resp: { status_code: 1_008 } } } },
    'answered without a stream: {"base_resp"',
  ),
  ...over(
    ['openai-chat'],
    otherwise('answers without a stream', { kind: 'json' }),
    otherwise('gives no reason for the end', rewritten(NO_REASON)),
    otherwise('counts tokens without choices', rewritten([/"choices":\[\],/g, ''])),
    otherwise('counts tokens with choices of null', rewritten([/"choices":\[\],/g, '"choices":null,'])),
    otherwise('has an error of null in each chunk', rewritten([/data: \{/g, 'data: {"error":null,'])),
    passing('gives neither a reason for the end nor an end', rewritten(NO_REASON, [/data: \[DONE\]\n\n/g, ''])),
  ),
  oddCalls('uses an id again and again', (call) => [
    { ...call, id: 'call_0' },
    { name: 'schedule_list', args: {}, id: 'call_0' },
  ]),
  oddCalls('gives odd ids', (call) => [{ ...call, id: 'functions.schedule:0 ü' }]),
  oddCalls('gives long ids', (call) => [{ ...call, id: 'c'.repeat(300) }]),
];
