import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Agents that were deleted within the last hour: what their turns write afterwards is found by it. */
export class DeletedAgents1798000200000 implements MigrationInterface {
  name = 'DeletedAgents1798000200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE deleted_agents (
        agent_id uuid PRIMARY KEY,
        deleted_at timestamptz NOT NULL DEFAULT now()
      )`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
