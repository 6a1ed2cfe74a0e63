import { Duplex } from 'node:stream';
import type { SandboxOutput } from '../sandbox-output.js';

const headerBytes = 8;
const standardError = 2;

/**
 * A container's standard input and output as one connection, over the stream that Docker's `attach` gives. Docker sends
 * frames of eight bytes of header and a payload, by which output and errors are distinguished; errors go to `output`.
 */
export class ContainerConnection extends Duplex {
  private header = Buffer.alloc(0);
  private left = 0;
  private isError = false;

  constructor(
    private readonly attached: NodeJS.ReadWriteStream,
    private readonly output: SandboxOutput,
  ) {
    super({ allowHalfOpen: false });
    attached.on('data', (chunk: Buffer) => this.takeFrames(chunk));
    attached.once('end', () => this.push(null));
    attached.once('close', () => this.destroy());
    attached.on('error', () => this.destroy());
  }

  override _read(): void {
    this.attached.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.attached.write(chunk)) done();
    else this.attached.once('drain', done);
  }

  override _final(done: () => void): void {
    this.attached.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if ('destroy' in this.attached && typeof this.attached.destroy === 'function') this.attached.destroy();
    else this.attached.end();
    done(error);
  }

  private takeFrames(chunk: Buffer): void {
    for (let rest = chunk; rest.length > 0;) {
      if (this.left === 0) {
        const missing = headerBytes - this.header.length;
        this.header = Buffer.concat([this.header, rest.subarray(0, missing)]);
        rest = rest.subarray(missing);
        if (this.header.length < headerBytes) return;
        this.isError = this.header[0] === standardError;
        this.left = this.header.readUInt32BE(4);
        this.header = Buffer.alloc(0);
        continue;
      }
      const payload = rest.subarray(0, this.left);
      rest = rest.subarray(payload.length);
      this.left -= payload.length;
      if (this.isError) this.output.push(payload);
      else if (!this.push(payload)) this.attached.pause();
    }
  }
}
