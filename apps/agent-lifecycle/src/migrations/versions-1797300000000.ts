import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Versions of agents' configurations (docs/decisions/0045). `settings` and `secrets` are JSON as it came: as `jsonb` a
 * text that PostgreSQL cannot hold would be refused.
 */
export class Versions1797300000000 implements MigrationInterface {
  name = 'Versions1797300000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE agents ADD COLUMN version integer NOT NULL DEFAULT 1`);
    // The actor is null in versions that were found, not made.
    await runner.query(`
      CREATE TABLE agent_versions (
        agent_id uuid NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
        version integer NOT NULL,
        account_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        actor_type text,
        actor_id text,
        note text,
        changed text[] NOT NULL,
        settings text NOT NULL,
        secrets text NOT NULL,
        PRIMARY KEY (agent_id, version)
      )`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
