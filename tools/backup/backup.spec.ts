import { execFileSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawnRoost, temporaryFolder } from '#lib/testing';
import { describe, expect, it } from 'vitest';
import { backup } from './backup.js';
import { restore } from './restore.js';

const modeOf = (path: string) => statSync(path).mode & 0o777;

describe('a backup of a data folder', () => {
  it('brings agents, messages and files back in another folder', async () => {
    const dataDir = temporaryFolder();
    const file = join(temporaryFolder(), 'roost.tar.gz');
    const roost = await spawnRoost({ dataDir });
    const { body: agent } = await roost.api<{ id: string }>('POST', '/v1/agent/create', { name: 'kept' });
    const path = `/v1/agent/${agent.id}`;
    const { body: sent } = await roost.api<{ id: string }>('POST', `${path}/messages`, {
      content: 'write hello to notes.txt',
    });
    await roost.api('GET', `${path}/messages/${sent.id}?wait=30`);
    await expect(backup(dataDir, file)).rejects.toMatchObject({ code: 'CONFLICT' });
    await roost.stop();

    const modes = new Set<number>();
    const watch = setInterval(() => modes.add(modeOf(`${file}.part`)));
    await backup(dataDir, file);
    clearInterval(watch);
    expect(modes, 'while it is written').toEqual(new Set([0o600]));
    expect(modeOf(file)).toBe(0o600);
    expect(execFileSync('tar', ['--list', '--file', file], { encoding: 'utf8' })).not.toContain('sandbox-kits');
    await expect(backup(dataDir, file)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });

    const restoredDir = join(temporaryFolder(), 'new');
    await restore(file, restoredDir);
    await expect(restore(file, restoredDir)).rejects.toMatchObject({ code: 'CONFLICT' });
    const restored = await spawnRoost({ dataDir: restoredDir });
    expect(restored.apiKey).toBe(roost.apiKey);
    const answer = await restored.api('GET', `${path}/messages/${sent.id}`);
    expect(answer.body).toMatchObject({ message: { status: 'read' }, replies: [{ role: 'assistant' }] });
    const notes = await restored.api('GET', `${path}/filesystem/files/notes.txt`);
    expect(notes.body).toMatchObject({ content: 'hello' });
    await restored.stop();
  });

  it('is refused for what is none, and leaves nothing half done', async () => {
    const folder = temporaryFolder();
    await expect(backup(folder, join(folder, 'x.tar.gz'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const noBackup = join(folder, 'no.tar.gz');
    writeFileSync(noBackup, 'nothing');
    await expect(restore(noBackup, join(folder, 'data'))).rejects.toMatchObject({ code: 'VALIDATION_ERROR' });
    expect(() => statSync(join(folder, 'data'))).toThrow();
  });
});
