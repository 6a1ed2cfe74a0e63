import type { WaitingFor } from '@roost-ai/sdk';
import { buildCommand, numberParser } from '@stricli/core';
import { agentArgument, type Cli, type Common, common, readAll } from '../cli.js';
import { CliError, EXIT } from '../failure.js';
import { clean } from '../output/clean.js';
import { wordsOf } from './waiting.js';

interface SendFlags extends Common {
  conversation?: string;
  wait: boolean;
  version?: number;
  interrupt?: boolean;
}

export const send = buildCommand({
  docs: {
    brief: 'Send one message and print the answer',
    customUsage: ['AGENT TEXT…', 'AGENT < file'],
    fullDescription: 'The text is the rest of the line, or what comes by stdin. Exit code 6: the agent did not answer.',
  },
  parameters: {
    flags: {
      ...common,
      conversation: { kind: 'parsed', parse: String, optional: true, brief: 'Which conversation' },
      version: {
        kind: 'parsed',
        parse: numberParser,
        optional: true,
        brief: 'Which version of its configuration answers, such as a draft',
      },
      wait: { kind: 'boolean', default: true, brief: 'Wait for the answer' },
      interrupt: { kind: 'boolean', optional: true, withNegated: false, brief: 'Interrupt what the agent is doing' },
    },
    positional: {
      kind: 'array',
      minimum: 1,
      parameter: { ...agentArgument, brief: 'The agent, then the text', placeholder: 'agent-and-text' },
    },
    aliases: { c: 'conversation' },
  },
  async func(this: Cli, flags: SendFlags, ...words: string[]) {
    const [name = '', ...rest] = words;
    const content = rest.length > 0 ? rest.join(' ') : await readAll(this.process.stdin);
    if (content.trim() === '') throw new CliError('there is no text to send: roost send AGENT TEXT', EXIT.usage);
    const agent = await this.agent(flags, name);
    const message = {
      content,
      ...(flags.conversation === undefined ? {} : { conversation_id: flags.conversation }),
      ...(flags.version === undefined ? {} : { version: flags.version }),
      ...(flags.interrupt ? { queue_mode: 'interrupt' as const } : {}),
    };
    const sent = await agent.messages.send(message);
    if (!flags.wait) return flags.json ? this.out.json(sent) : this.out.line(sent.id);
    const onWaiting = (waiting: WaitingFor) => {
      const why = wordsOf(waiting, name);
      if (why !== undefined) this.out.note(why);
    };
    const reply = await agent.messages.reply(sent.id, { onWaiting });
    if (flags.json) this.out.json(reply);
    else this.out.line(clean(reply.text));
  },
});
