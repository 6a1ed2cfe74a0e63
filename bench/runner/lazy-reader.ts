import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';

/** A reader of an event stream that lets it lie unread until it is asked for. */
export class LazyReader {
  private constructor(private readonly response: IncomingMessage) {}

  static async open(url: string, headers: Record<string, string>): Promise<LazyReader> {
    const request = get(url, { headers, agent: false });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.on('error', () => undefined); // cut without an end: what came until then counts
    return new LazyReader(response);
  }

  /** Reads what lies there until the stream ends, or until `isEnough` of it. Gives the ids of durable events. */
  async read(isEnough: (ids: string[]) => boolean): Promise<{ ids: string[]; lastId: string; isCut: boolean }> {
    const ids: string[] = [];
    let lastId = '';
    let isCut = false;
    let rest = '';
    try {
      for await (const chunk of this.response) {
        const blocks = (rest + String(chunk)).split('\n\n');
        rest = blocks.pop() ?? '';
        for (const block of blocks) {
          const id = /^id: (.*)$/m.exec(block)?.[1];
          if (id) lastId = id;
          if (id && !id.includes('/') && block.includes('\nevent: ')) ids.push(id);
          isCut ||= block.startsWith('event: stream.cut');
        }
        if (isEnough(ids)) break;
      }
    } catch {
      // The connection was cut.
    }
    this.response.destroy();
    return { ids, lastId, isCut };
  }
}
