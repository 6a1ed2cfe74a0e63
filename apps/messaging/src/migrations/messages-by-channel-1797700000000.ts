import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A list by a channel, or by a failure, of which an agent has few messages read all of this agent's: half a million took
 * longer than a request may.
 */
export class MessagesByChannel1797700000000 implements MigrationInterface {
  name = 'MessagesByChannel1797700000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX messages_channel ON messages (agent_id, channel, seq)`);
    await runner.query(`CREATE INDEX messages_failed ON messages (agent_id, seq) WHERE status = 'failed'`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
