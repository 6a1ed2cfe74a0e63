import { type Agent, ConflictError, type Roost } from '@roost-ai/sdk';
import { buildCommand, numberParser } from '@stricli/core';
import { createInterface } from 'node:readline';
import { agentArgument, type Cli, type Common, common, STREAM_RETRY_FOR_MS } from '../cli.js';
import { EXIT } from '../failure.js';
import { clean } from '../output/clean.js';
import { ApprovalQuestions } from './ask-approvals.js';
import { chooseAgent } from './choose-agent.js';
import { AnswerView } from './show-events.js';

interface ChatFlags extends Common {
  conversation: string;
  history: number;
}

export const chat = buildCommand({
  docs: {
    brief: 'Talk to an agent',
    fullDescription:
      'Shows the last messages, then answers as they are written, with the tools that the agent uses. Ctrl-C interrupts ' +
      'the agent while it works, and leaves otherwise; so does an empty line’s Ctrl-D. Without AGENT the only agent is meant; where there ' +
      'is none, one is made. Lines that are piped in are sent one after the other.',
  },
  parameters: {
    flags: {
      ...common,
      conversation: { kind: 'parsed', parse: String, default: 'default', brief: 'Which conversation' },
      history: { kind: 'parsed', parse: numberParser, default: '10', brief: 'How many earlier messages are shown' },
    },
    positional: { kind: 'tuple', parameters: [{ ...agentArgument, optional: true }] },
    aliases: { c: 'conversation' },
  },
  async func(this: Cli, flags: ChatFlags, name?: string) {
    const roost = this.connect(flags);
    const chosen = await chooseAgent(this, roost, name);
    const isTalk = this.process.stdin.isTTY === true && !flags.json;
    if (isTalk) {
      await showHistory(this, chosen.agent, flags);
      this.out.note(this.out.dim(`Talking to ${clean(chosen.name)}. Ctrl-C interrupts, Ctrl-D leaves.`));
    }
    await converse(this, roost, chosen.agent, flags, isTalk);
  },
});

async function showHistory({ out }: Cli, agent: Agent, { conversation, history }: ChatFlags): Promise<void> {
  const messages = await agent.messages.list({ conversation_id: conversation }).toArray(Math.max(0, history));
  for (const { role, content } of messages.reverse())
    out.line(role === 'user' ? out.bold(`> ${clean(content)}`) : clean(content));
}

async function converse(cli: Cli, roost: Roost, agent: Agent, flags: ChatFlags, isTalk: boolean): Promise<void> {
  const lines = createInterface({
    input: cli.process.stdin,
    ...(isTalk ? { output: cli.process.stdout, prompt: '> ' } : {}),
    terminal: isTalk,
  });
  const questions = new ApprovalQuestions(roost, cli.out, isTalk ? lines : undefined);
  const state: { interrupt?: (() => void) | undefined; isInterrupting: boolean } = { isInterrupting: false };
  const onInterrupt = () => {
    if (state.interrupt) return state.interrupt();
    cli.process.exitCode = EXIT.interrupted;
    lines.close();
  };
  // A terminal in line mode gives Ctrl-C to readline, a pipe to the process.
  lines.on('SIGINT', onInterrupt);
  cli.process.on('SIGINT', onInterrupt);
  try {
    if (isTalk) lines.prompt();
    for await (const line of lines) {
      if (line.trim() !== '') {
        state.isInterrupting = await answer(
          cli,
          agent,
          line,
          flags,
          questions,
          state.isInterrupting,
          (interrupt) => (state.interrupt = interrupt),
        );
        state.interrupt = undefined;
      }
      if (isTalk) lines.prompt();
    }
  } finally {
    cli.process.off('SIGINT', onInterrupt);
    lines.close();
    if (isTalk) cli.out.line('');
  }
}

/**
 * Sends one message and shows what comes of it, until it is answered or the person has had enough: Ctrl-C cancels its run.
 * Where none has begun yet, their next line interrupts the agent. Returns whether it shall.
 */
async function answer(
  { out }: Cli,
  agent: Agent,
  content: string,
  { conversation, json }: ChatFlags,
  questions: ApprovalQuestions,
  isInterrupting: boolean,
  onBegin: (interrupt: () => void) => void,
): Promise<boolean> {
  const view = new AnswerView(out);
  const leave = new AbortController();
  const left = new Error('left');
  let runId: string | undefined;
  onBegin(() => leave.abort(left));
  try {
    const options = {
      conversation_id: conversation,
      ...(isInterrupting ? { queue_mode: 'interrupt' as const } : {}),
      signal: leave.signal,
      retryForMs: STREAM_RETRY_FOR_MS,
    };
    for await (const event of agent.stream(content, options)) {
      if (event.type === 'turn.started') runId = event.data.run_id;
      if (json) out.jsonLine(event);
      else {
        view.show(event);
        questions.on(event);
      }
    }
    view.end();
    questions.end();
    return false;
  } catch (error) {
    view.end();
    questions.end();
    if (error !== left) throw error;
    if (runId === undefined) {
      out.note(out.dim('Your next line interrupts it; without one it goes on.'));
      return true;
    }
    // A run that has just ended cannot be cancelled, and need not be.
    await agent.runs.cancel(runId).catch((failure: unknown) => {
      if (!(failure instanceof ConflictError)) throw failure;
    });
    out.note(out.dim('Interrupted.'));
    return false;
  }
}
