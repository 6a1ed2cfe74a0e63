import type { AgentEvent, RunEvent } from '@roost-ai/sdk';
import { clean, inLine } from '../output/clean.js';
import type { Output } from '../output/output.js';

/** The text of an answer and its tools, as they come. */
export class AnswerView {
  private isInLine = false;

  constructor(private readonly out: Output) {}

  show(event: AgentEvent | RunEvent): void {
    switch (event.type) {
      case 'text.delta':
        return this.text(event.data.text);
      case 'tool.call':
        return this.note(
          `→ ${inLine(event.data.tool.name, 60)} ${argumentsOf(event.data.tool.input, this.out.width - 20)}`,
        );
      case 'tool.result': {
        const { output = '', is_error: isError } = event.data.tool;
        return this.note(`${isError ? '✗' : '←'} ${inLine(output, this.out.width - 20) || 'done'}`);
      }
      case 'turn.restarted':
        return this.note('… begins again');
      case 'approval.requested':
        return this.end();
      case 'turn.interrupted':
        return this.note('interrupted');
      case 'message.failed':
        return this.note(`failed: ${inLine(event.data.error.message, 500)} (${inLine(event.data.error.code, 60)})`);
      default:
        return undefined;
    }
  }

  /** Ends a line that was begun. */
  end(): void {
    if (this.isInLine) this.out.write('\n');
    this.isInLine = false;
  }

  private text(text: string): void {
    const shown = clean(text);
    if (shown === '') return;
    this.out.write(shown);
    this.isInLine = !shown.endsWith('\n');
  }

  private note(text: string): void {
    this.end();
    this.out.line(this.out.dim(text));
  }
}

/** The arguments of a tool: the one text that says it all, or JSON. */
function argumentsOf(input: unknown, most: number): string {
  const values = typeof input === 'object' && input !== null ? Object.values(input) : [input];
  const [only] = values;
  return inLine(values.length === 1 && typeof only === 'string' ? only : (JSON.stringify(input) ?? ''), most);
}

/** One event in one line, for a log. */
export function lineOfEvent(event: AgentEvent): string {
  switch (event.type) {
    case 'message.created':
    case 'message.posted':
      return `${event.type}  ${event.data.message.channel}  ${inLine(event.data.message.content)}`;
    case 'message.completed':
      return `${event.type}  ${inLine(event.data.replies.map(({ content }) => content).join(' '))}`;
    case 'message.failed':
      return `${event.type}  ${inLine(event.data.error.code)}  ${inLine(event.data.error.message)}`;
    case 'approval.requested':
    case 'approval.decided':
    case 'approval.expired':
      return `${event.type}  ${inLine(event.data.approval.tool, 60)}  ${event.data.approval.status}  ${event.data.approval.id}`;
    case 'turn.started':
      return `${event.type}  attempt ${event.data.attempt}, ${event.data.message_ids.length} messages`;
    case 'tool.call':
      return `${event.type}  ${inLine(event.data.tool.name, 60)}  ${argumentsOf(event.data.tool.input, 100)}`;
    case 'tool.result':
      return `${event.type}  ${event.data.tool.is_error ? 'failed  ' : ''}${inLine(event.data.tool.output ?? '')}`;
    case 'text.delta':
      return `${event.type}  ${inLine(event.data.text)}`;
    case 'agent.status':
      return `${event.type}  ${event.data.previous} → ${event.data.status}  ${inLine(event.data.reason ?? '')}`.trimEnd();
    case 'unknown':
      return `${inLine(event.name, 60)}  ${inLine(JSON.stringify(event.data) ?? '')}`;
    case 'stream.gap':
      return `${event.type}  ${inLine(event.data.message)}`;
    default:
      return event.type;
  }
}
