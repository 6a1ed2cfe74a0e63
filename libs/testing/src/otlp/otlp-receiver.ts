import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { fromProtobuf } from './otlp-proto.js';
import { type ReceivedSpan, spansOf } from './otlp-request.js';

/** How a receiver behaves: as it should, never answering, or refusing. */
export type ReceiverMood = 'good' | 'silent' | 'refusing';

/** A receiver of traces over OTLP/HTTP, as a collector is one: takes protobuf and JSON, and nothing that is not OTLP. */
export class OtlpReceiver {
  readonly spans: ReceivedSpan[] = [];
  /** Why requests were refused. */
  readonly refused: string[] = [];
  readonly requests: { contentType: string; headers: Record<string, unknown> }[] = [];
  mood: ReceiverMood = 'good';

  /** Also of one that was stopped: nobody answers there then. */
  url = '';

  private constructor(private readonly server: Server) {}

  static async start(): Promise<OtlpReceiver> {
    const server = createServer();
    const receiver = new OtlpReceiver(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const contentType = String(request.headers['content-type']);
        receiver.requests.push({ contentType, headers: request.headers });
        if (receiver.mood === 'silent') return;
        if (receiver.mood === 'refusing') return void response.writeHead(401).end();
        try {
          if (request.method !== 'POST' || request.url !== '/v1/traces')
            throw new Error(`${request.method} ${request.url}`);
          const body = Buffer.concat(chunks);
          receiver.take(contentType, request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body);
          response.writeHead(200, { 'content-type': contentType }).end(contentType === 'application/json' ? '{}' : '');
        } catch (error) {
          receiver.refused.push(String(error));
          response.writeHead(400).end();
        }
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return receiver;
  }

  /** The spans of the trace that holds the given one. */
  traceOf(isIt: (span: ReceivedSpan) => boolean): ReceivedSpan[] {
    const found = this.spans.find(isIt);
    return found ? this.spans.filter(({ traceId }) => traceId === found.traceId) : [];
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private take(contentType: string, body: Buffer): void {
    if (contentType !== 'application/json' && contentType !== 'application/x-protobuf')
      throw new Error(`content type ${contentType}`);
    const json =
      contentType === 'application/json' ? (JSON.parse(body.toString('utf8')) as unknown) : fromProtobuf(body);
    this.spans.push(...spansOf(json));
  }
}
