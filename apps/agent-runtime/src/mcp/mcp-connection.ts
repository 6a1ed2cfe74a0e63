import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SseError } from '@modelcontextprotocol/sdk/client/sse.js';
import type { AnySchema, SchemaOutput } from '@modelcontextprotocol/sdk/server/zod-compat.js';
import type { RequestOptions } from '@modelcontextprotocol/sdk/shared/protocol.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { type ClientRequest, ElicitRequestSchema, ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import { AsyncLocalStorage } from 'node:async_hooks';
import { z } from 'zod';
import { QuestionAsked } from '../approvals/call-questions.js';
import type { Elicitation } from './elicitation.js';
import { CallAnswer, InitializeAnswer, PingAnswer, ToolListAnswer } from './server-answers.js';

/** `inputSchema` is whatever the server says: one tool's nonsense must not cost the others. */
export interface McpTool {
  name: string;
  description?: string;
  inputSchema: unknown;
}

const CONNECT_MS = 10_000;
const CALL = {
  timeout: 120_000,
  resetTimeoutOnProgress: true,
  // The longest command of `bash`: who only reports progress would hold a turn for ever.
  maxTotalTimeout: 3_600_000,
  // Without it the SDK asks for no progress.
  onprogress: () => undefined,
};
const MAX_TOOLS = 200;
const MAX_PAGES = 20;

/** The SDK's, but for what it wants of a server that begins. */
class LenientClient extends Client {
  override request<T extends AnySchema>(
    request: ClientRequest,
    schema: T,
    options?: RequestOptions,
  ): Promise<SchemaOutput<T>> {
    const taken = request.method === 'initialize' ? (InitializeAnswer as unknown as T) : schema;
    return super.request(request, taken, options);
  }
}

/** A call that has no answer yet. */
interface ActiveCall {
  elicitation: Elicitation | undefined;
  /** Gives the call up for what it asks. */
  stopFor(asked: QuestionAsked): void;
}

/** The call on whose own stream a message of a server came. */
const activeCall = new AsyncLocalStorage<ActiveCall>();

/**
 * A live session with one MCP server. Offers elicitation, and no sampling or roots: a server that asks for them gets
 * the protocol's refusal. Tools are read at the start and whenever the server says that they changed.
 */
export class McpConnection {
  tools: McpTool[] = [];
  isClosed = false;
  private readonly client: Client;
  private readonly calls = new Set<ActiveCall>();
  /** The server asks without saying for which call: its calls come one after the other. */
  private isOneAtATime = false;
  private lastCall: Promise<unknown> = Promise.resolve();
  private waiting = 0;
  private isRetired = false;
  /** Why a connection closed: the SDK says only that it did. */
  private lastError: Error | undefined;

  private constructor(private readonly onTools: (tools: McpTool[]) => void) {
    this.client = new LenientClient(
      { name: 'roost', version: '1' },
      {
        capabilities: { elicitation: { form: {}, url: {} } },
        listChanged: {
          tools: { autoRefresh: false, debounceMs: 100, onChanged: () => void this.refresh().catch(() => undefined) },
        },
      },
    );
    this.client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
      const call = this.askingCall();
      const answer = call.elicitation?.answerTo(params) ?? { action: 'cancel' as const };
      if (!(answer instanceof QuestionAsked)) return answer;
      call.stopFor(answer);
      throw new McpError(ErrorCode.InvalidRequest, 'a person is asked: the call is made again with the answer');
    });
    this.client.onerror = (error) => {
      this.lastError = error;
      // The older transport's stream is the session: when it breaks no call in flight gets its answer.
      if (error instanceof SseError) void this.close();
    };
  }

  /** Errors: those of the transport, UnauthorizedError, and a timeout after ten seconds. */
  static async open(
    transport: Transport,
    onTools: (tools: McpTool[]) => void = () => undefined,
  ): Promise<McpConnection> {
    const connection = new McpConnection(onTools);
    connection.client.onclose = () => (connection.isClosed = true);
    try {
      await connection.client.connect(transport, { timeout: CONNECT_MS });
      await connection.refresh();
    } catch (error) {
      await connection.close();
      throw connection.reasonOf(error);
    }
    return connection;
  }

  /** Reads the server's tools anew; a page after the limits is not asked for. */
  async refresh(): Promise<McpTool[]> {
    if (!this.client.getServerCapabilities()?.tools) return (this.tools = []);
    const tools: McpTool[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < MAX_PAGES && tools.length < MAX_TOOLS; page++) {
      const request = { method: 'tools/list', params: cursor ? { cursor } : {} };
      const answer = await this.client.request(request, ToolListAnswer, { timeout: CONNECT_MS });
      tools.push(
        ...answer.tools.map(({ name, description, inputSchema }) => ({
          name,
          inputSchema,
          ...(description ? { description: description.slice(0, 2_000) } : {}),
        })),
      );
      cursor = answer.nextCursor;
      if (!cursor) break;
    }
    this.tools = tools.slice(0, MAX_TOOLS);
    this.onTools(this.tools);
    return this.tools;
  }

  /** Errors: those of the server and of the transport; a timeout after two minutes without progress, and after an hour. */
  async call(
    name: string,
    input: unknown,
    signal: AbortSignal | undefined,
    elicitation?: Elicitation,
  ): Promise<CallAnswer> {
    const parsed = z.record(z.string(), z.unknown()).safeParse(input ?? {});
    if (!parsed.success) throw new Error('the arguments must be an object');
    // The SDK never takes its listener off a signal: a turn's own would gather one with every call.
    const call = new AbortController();
    const stop = () => call.abort(signal?.reason);
    signal?.throwIfAborted();
    signal?.addEventListener('abort', stop, { once: true });
    let asked: QuestionAsked | undefined;
    const active = {
      elicitation,
      stopFor: (question: QuestionAsked) => {
        asked ??= question;
        call.abort(question);
      },
    };
    const send = () => {
      call.signal.throwIfAborted();
      this.calls.add(active);
      const request = { method: 'tools/call' as const, params: { name, arguments: parsed.data } };
      return activeCall.run(active, () => this.client.request(request, CallAnswer, { ...CALL, signal: call.signal }));
    };
    this.waiting++;
    try {
      return await this.inTurn(send);
    } catch (error) {
      throw asked ?? this.reasonOf(error);
    } finally {
      signal?.removeEventListener('abort', stop);
      this.calls.delete(active);
      this.waiting--;
      this.closeWhenUnused();
    }
  }

  private inTurn<T>(send: () => Promise<T>): Promise<T> {
    if (!this.isOneAtATime) return send();
    const sent = this.lastCall.then(send);
    this.lastCall = sent.catch(() => undefined);
    return sent;
  }

  /**
   * Which call a question belongs to: the one on whose stream it came, or the only one under way. Errors: McpError when that
   * is not known: nobody else's person may be asked.
   */
  private askingCall(): ActiveCall {
    const onStream = activeCall.getStore();
    if (onStream && this.calls.has(onStream)) return onStream;
    const [only] = this.calls;
    if (only && this.calls.size === 1) return only;
    this.isOneAtATime = true;
    throw new McpError(
      ErrorCode.InvalidRequest,
      'it is not known for which of several calls this is asked: call again',
    );
  }

  /** Whether a call waits for its answer. */
  get isBusy(): boolean {
    return this.waiting > 0;
  }

  /** Takes no new users; closes when the last call in flight has its answer. */
  retire(): void {
    this.isRetired = true;
    this.closeWhenUnused();
  }

  private closeWhenUnused(): void {
    if (this.isRetired && this.waiting === 0 && !this.isClosed) void this.close();
  }

  private reasonOf(error: unknown): unknown {
    const isOnlyClosed = error instanceof McpError && error.code === Number(ErrorCode.ConnectionClosed);
    return isOnlyClosed && this.lastError ? this.lastError : error;
  }

  async ping(): Promise<void> {
    await this.client.request({ method: 'ping' }, PingAnswer, { timeout: CONNECT_MS });
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.client.close().catch(() => undefined);
  }
}
