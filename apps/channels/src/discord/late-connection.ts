import type { Connection, InboundFile, OutboundFile, SendKey } from '../adapters/channel-adapter.js';
import type { Readable } from 'node:stream';

/** A connection whose code is still being loaded: a service without bots of this platform pays nothing for its SDK. */
export class LateConnection implements Connection {
  constructor(private readonly loading: Promise<Required<Pick<Connection, 'answer'>> & Connection>) {}

  async send(place: string, part: string, key: SendKey): Promise<string> {
    return (await this.loading).send(place, part, key);
  }

  async edit(place: string, messageId: string, part: string): Promise<void> {
    await (await this.loading).edit(place, messageId, part);
  }

  async sendFile(place: string, file: OutboundFile, key: SendKey): Promise<string> {
    return (await this.loading).sendFile(place, file, key);
  }

  async withoutThread(place: string): Promise<string | undefined> {
    return (await this.loading).withoutThread?.(place);
  }

  async download(file: InboundFile): Promise<Readable> {
    return (await this.loading).download(file);
  }

  async answer(answerTo: string, part: string): Promise<void> {
    await (await this.loading).answer(answerTo, part);
  }

  async showTyping(place: string): Promise<void> {
    await (await this.loading).showTyping(place);
  }

  async close(): Promise<void> {
    await (await this.loading).close();
  }
}
