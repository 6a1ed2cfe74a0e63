import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { listDirectory } from '../src/directories/list-directory.js';
import { readFile } from '../src/files/read-file.js';
import { writeFile } from '../src/files/write-file.js';
import { Transfers } from '../src/streams/transfers.js';
import { Volume } from '../src/tree/volume.js';

export const agentId = 'a';

type Format = 'file' | 'tar.gz' | 'zip';
const PART_BYTES = 500_000;

/** Before each test a volume of its own, in a folder beside a file that no path may reach; and what a client does with it. */
export class VolumeFixture {
  /** Holds the volume, and `outside`. */
  top = '';
  root = '';
  private opened: Volume | undefined;
  private transfersOfVolume: Transfers | undefined;

  constructor() {
    beforeEach(() => {
      this.top = mkdtempSync(join(tmpdir(), 'roost-volume-'));
      this.root = join(this.top, 'volume');
      mkdirSync(this.root);
      writeFileSync(join(this.top, 'outside'), 'canary');
      this.opened = new Volume(this.root);
      this.transfersOfVolume = new Transfers(this.opened);
    });
    afterEach(() => rmSync(this.top, { recursive: true, force: true }));
  }

  get volume(): Volume {
    if (!this.opened) throw new Error('no test runs');
    return this.opened;
  }

  get transfers(): Transfers {
    if (!this.transfersOfVolume) throw new Error('no test runs');
    return this.transfersOfVolume;
  }

  write(path: string, content: string, more: { overwrite?: boolean; mustExist?: boolean; ifMatch?: string } = {}) {
    return writeFile(this.volume, { agentId, path, content, encoding: 'utf-8', overwrite: false, ...more });
  }

  async read(path: string, encoding: 'utf-8' | 'base64' = 'utf-8'): Promise<string> {
    return (await readFile(this.volume, { agentId, path, encoding })).content;
  }

  list(path: string, more: { recursive?: boolean; limit?: number; cursor?: string } = {}) {
    return listDirectory(this.volume, { agentId, path, recursive: false, limit: 1_000, ...more });
  }

  async names(path: string, recursive = false): Promise<string[]> {
    return (await this.list(path, { recursive })).entries.map(({ name }) => name);
  }

  async upload(path: string, data: Buffer, target: Format = 'file', overwrite = false) {
    const { streamId } = await this.transfers.openWrite({ agentId, path, target, overwrite });
    for (let part = 0; part * PART_BYTES < data.length || part === 0; part += 1) {
      const sent = data.subarray(part * PART_BYTES, (part + 1) * PART_BYTES);
      await this.transfers.write({ agentId, streamId, part, data: sent });
    }
    return this.transfers.finish({ agentId, streamId });
  }

  async download(path: string, source: Format = 'file', offset = 0, length?: number): Promise<Buffer> {
    const { streamId } = await this.transfers.openRead({ agentId, path, source, offset, length });
    const parts: Uint8Array[] = [];
    for (let part = 0; ; part += 1) {
      const { data, isLast } = await this.transfers.read({ agentId, streamId, part });
      parts.push(data);
      if (isLast) break;
    }
    await this.transfers.close({ agentId, streamId });
    return Buffer.concat(parts);
  }
}
