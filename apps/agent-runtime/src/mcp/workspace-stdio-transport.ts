import {
  type McpServerConfig,
  readProcess,
  type RequestContract,
  startProcess,
  stopProcess,
  writeProcess,
} from '#lib/contracts';
import { BoundedLines } from '#lib/bounded-streams';
import { ownCall } from '#lib/call-context';
import { serializeMessage } from '@modelcontextprotocol/sdk/shared/stdio.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import type { Bus } from '#lib/bus';
import { workspaceRequest } from '../tools/workspace-request.js';
import { MAX_MESSAGE_BYTES } from './guarded-fetch.js';
import { readMessage } from './lenient-message.js';
import type { McpTarget } from './mcp-target.js';
import { StdioServerFailure } from './server-failure.js';

type StdioConfig = Extract<McpServerConfig, { command: string }>;

const PART_BYTES = 256 * 1_024;
/** Of its stderr, in the message of a failure. */
const MAX_WORDS = 400;

/**
 * A stdio MCP server that runs in the agent's workspace, never on the host: its standard streams are carried over
 * the bus. Closes when the program ends or the workspace goes.
 */
export class WorkspaceStdioTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  /** The end of what the program wrote to its stderr, known once the transport is closed. */
  stderr = '';
  private readonly processId = `mcp-${randomUUID()}`;
  private readonly lines = new BoundedLines(MAX_MESSAGE_BYTES, (line) => this.receive(line));
  private pendingBytes = 0;
  private writtenAt = 0;
  private writes: Promise<unknown> = Promise.resolve();
  private isClosed = false;
  private closing: Promise<void> | undefined;

  constructor(
    private readonly bus: Bus,
    private readonly target: Pick<McpTarget, 'agentId' | 'accountId'>,
    private readonly config: StdioConfig,
  ) {}

  async start(): Promise<void> {
    const { command, args = [], env = {} } = this.config;
    const context = { bus: this.bus, ...this.target, conversationId: '', turnId: this.processId, batchId: '' };
    // Only the start may wake a workspace: afterwards the program would be gone.
    await workspaceRequest(context, startProcess, {
      agentId: this.target.agentId,
      processId: this.processId,
      command,
      args,
      env,
    });
    void this.readAll();
  }

  send(message: JSONRPCMessage): Promise<void> {
    const bytes = Buffer.from(serializeMessage(message));
    const write = this.writes.then(async () => {
      for (let offset = 0; offset < bytes.length; offset += PART_BYTES) {
        const part = bytes.subarray(offset, offset + PART_BYTES);
        await this.request(writeProcess, {
          agentId: this.target.agentId,
          processId: this.processId,
          at: this.writtenAt,
          data: part.toString('base64'),
        });
        this.writtenAt += part.length;
      }
    });
    this.writes = write.catch(() => undefined);
    return write;
  }

  /** Resolves, also for who is not the first to close it, when the program was asked to end. */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async end(): Promise<void> {
    this.isClosed = true;
    this.onclose?.();
    const { agentId } = this.target;
    const stopped = await this.request(stopProcess, { agentId, processId: this.processId }).catch(() => undefined);
    this.stderr = stopped?.stderrTail || this.stderr;
  }

  private async readAll(): Promise<void> {
    let from = 0;
    try {
      while (!this.isClosed) {
        const { data, hasEnded, exitCode, stderrTail } = await this.request(readProcess, {
          agentId: this.target.agentId,
          processId: this.processId,
          from,
        });
        const bytes = Buffer.from(data, 'base64');
        from += bytes.length;
        this.take(bytes);
        if (hasEnded) {
          this.stderr = stderrTail;
          const words = stderrTail ? `: ${stderrTail.trim().slice(-MAX_WORDS)}` : '';
          throw new StdioServerFailure(`the MCP server ended (exit code ${exitCode ?? 'unknown'})${words}`, stderrTail);
        }
      }
    } catch (error) {
      if (!this.isClosed) this.onerror?.(error instanceof Error ? error : new Error(String(error)));
    }
    await this.close();
  }

  private take(bytes: Buffer): void {
    const lastLine = bytes.lastIndexOf(10);
    this.pendingBytes = lastLine < 0 ? this.pendingBytes + bytes.length : bytes.length - lastLine - 1;
    if (this.pendingBytes > MAX_MESSAGE_BYTES)
      throw new Error(`a message is larger than ${MAX_MESSAGE_BYTES / 1_048_576} MiB`);
    this.lines.push(bytes);
  }

  private receive(line: string): void {
    try {
      this.onmessage?.(readMessage(line));
    } catch (error) {
      // A line that is no message, e.g. a log line on the wrong stream.
      this.onerror?.(error instanceof Error ? error : new Error(String(error)));
    }
  }

  private request<I extends z.ZodType, O extends z.ZodType>(
    contract: RequestContract<I, O>,
    input: z.output<I>,
  ): Promise<z.output<O>> {
    return this.bus.request(contract, input, {
      ...ownCall(this.processId, contract.timeoutMs),
      accountId: this.target.accountId,
    });
  }
}
