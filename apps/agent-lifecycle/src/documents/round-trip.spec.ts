import { AgentDocument, encode } from '#lib/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Configured } from '../versions/configured.js';
import { changesBetween, updateOf } from './changes-between.js';
import { exportedAgent } from './export-agent.js';
import { wantedAgent } from './wanted-agent.js';

const NO_PARTS = { schedules: [], triggers: [], webhooks: [], grants: [] };
const text = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }).filter((name) => name !== '__proto__');
const values = (names: fc.Arbitrary<string>) => fc.dictionary(names, text, { maxKeys: 4, noNullPrototype: true });
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const given = (object: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
const header = fc.constantFrom('authorization', 'x-a', 'x_a', 'X-A');
const variable = fc.constantFrom('TOKEN', 'A', 'A_B', '_');

const server = fc.oneof(
  fc.record({ url: fc.webUrl(), headers: maybe(values(header)), transport: maybe(fc.constant('http')) }).map(given),
  fc.record({ command: text, args: maybe(fc.array(text)), env: maybe(values(variable)) }).map(given),
);
const configuration = fc
  .record({
    model: maybe(fc.constantFrom('demo', 'openai/gpt-5')),
    timeoutSeconds: maybe(fc.integer({ min: 1, max: 86_400 })),
    customEnv: maybe(values(variable)),
    mcpServers: maybe(fc.dictionary(fc.constantFrom('far', 'near', 'n-1'), server, { noNullPrototype: true })),
    memoryConfig: maybe(fc.record({ type: maybe(fc.constant('flat')), maxSizeMb: maybe(fc.constant(7)) }).map(given)),
    compaction: maybe(fc.record({ enabled: maybe(fc.boolean()), instructions: maybe(text) }).map(given)),
    network: maybe(fc.constantFrom({ mode: 'none' }, { mode: 'allowlist', allow: ['example.org'] })),
  })
  .map(given);
const agent = fc.record({
  name: text,
  description: fc.option(text),
  pvcSize: fc.constantFrom('1Gi', '2Gi'),
  systemPrompt: fc.option(text),
  systemPromptType: fc.constantFrom('append', 'replace'),
  sessionMode: fc.constantFrom('ephemeral', 'persistent'),
  warmthWindowMs: fc.option(fc.constant(600_000)),
  configuration,
  providerKeys: fc.record({ openai: maybe(text), google: maybe(text) }).map(given),
  bots: fc
    .record({
      telegramBotToken: maybe(fc.constant('123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11')),
      slackBotToken: maybe(fc.constant({ botToken: 'xoxb-1234-5678-abcdef', signingSecret: 'abc' })),
    })
    .map(given),
}) as unknown as fc.Arbitrary<Configured>;

/** The document as it is once it was sent, and its only agent. */
function sent(from: Configured) {
  const document = AgentDocument.parse(
    JSON.parse(JSON.stringify(encode(AgentDocument, exportedAgent(from, NO_PARTS)))),
  );
  const [[name, documented] = []] = Object.entries(document.agents);
  if (name === undefined || !documented) throw new Error('an exported document has an agent');
  return { name, documented };
}

describe('a document', () => {
  it('changes nothing of the agent that it was exported from, pruned or not', () => {
    fc.assert(
      fc.property(agent, fc.boolean(), (before, prune) => {
        const { name, documented } = sent(before);
        const after = wantedAgent(name, documented, before, prune);
        expect(changesBetween(before, after)).toEqual([]);
        expect(updateOf(before, after)).toEqual({ replacesFields: true });
      }),
      { numRuns: 300 },
    );
  });

  it('makes the same agent where there is none, once its secrets have their values', () => {
    fc.assert(
      fc.property(agent, (before) => {
        const { name, documented } = sent(before);
        const made = wantedAgent(name, valued(documented, before), undefined, false);
        expect(changesBetween(before, made)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('with prune makes any agent the same but for its volume, keys and bots', () => {
    fc.assert(
      fc.property(agent, agent, (one, other) => {
        const { name, documented } = sent(one);
        const made = wantedAgent(name, valued(documented, one), other, true);
        const lasting = { pvcSize: one.pvcSize, providerKeys: one.providerKeys, bots: one.bots };
        expect(changesBetween(one, { ...made, ...lasting })).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('holds no value of a secret', () => {
    fc.assert(
      fc.property(agent, (before) => {
        const marked = JSON.parse(
          JSON.stringify(before, (key, value: unknown) =>
            ['customEnv', 'headers', 'env', 'providerKeys'].includes(key) && value
              ? Object.fromEntries(Object.keys(value as object).map((name) => [name, 'canary']))
              : value,
          ),
        ) as Configured;
        expect(JSON.stringify(sent(marked))).not.toMatch(/canary|xoxb|123456:/);
      }),
    );
  });

  it('names each secret that has no value, and what it is of', () => {
    const none = (documented: object) => () => wantedAgent('a', documented, undefined, false);
    const custom = { configuration: { customEnv: { A: { fromEnv: 'HERE' }, B: '***', C: 'c' } } };
    expect(none(custom)).toThrow('configuration.custom_env.A: HERE is not set, and there is no value yet');
    expect(none({ slackBotToken: { bot_token: { fromEnv: 'X' }, signing_secret: 'b' } })).toThrow(
      /^slack_bot_token.bot_token: X/,
    );
    expect(none({ telegramBotToken: 'nonsense' })).toThrow(/^telegram_bot_token: is no such token/);
  });
});

/** With the values in the places of names, as a client puts them there. */
function valued(
  documented: ReturnType<typeof sent>['documented'],
  { configuration: config, providerKeys, bots }: Configured,
) {
  const { customEnv, mcpServers } = config;
  const slack = bots.slackBotToken && {
    bot_token: bots.slackBotToken.botToken,
    signing_secret: bots.slackBotToken.signingSecret,
  };
  return {
    ...documented,
    ...(Object.keys(providerKeys).length > 0 ? { providerKeys } : {}),
    ...given({ telegramBotToken: bots.telegramBotToken, slackBotToken: slack }),
    configuration: { ...documented.configuration, ...given({ customEnv, mcpServers }) },
  };
}
