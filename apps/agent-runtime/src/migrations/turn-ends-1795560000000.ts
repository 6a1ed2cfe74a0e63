import type { MigrationInterface, QueryRunner } from 'typeorm';

export class TurnEnds1795560000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // What a turn had done when its worker went away; the next attempt goes on from there. One for each conversation.
    await runner.query(`
      CREATE TABLE unfinished_turns (
        agent_id uuid NOT NULL,
        conversation_id text NOT NULL,
        account_id uuid NOT NULL,
        turn_id uuid NOT NULL,
        fencing_token bigint NOT NULL,
        work text NOT NULL,
        updated_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (agent_id, conversation_id)
      )`);
    // Agents whose owners were told that a provider refuses a key; the row goes when a turn succeeds again.
    await runner.query(`
      CREATE TABLE refused_keys (
        agent_id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        message text NOT NULL,
        told_at timestamptz NOT NULL DEFAULT now()
      )`);
    // closed_at: what is to be done at a session's end was done. is_persistent: its transcript is the agent's context.
    await runner.query(`
      ALTER TABLE sessions ADD COLUMN closed_at timestamptz, ADD COLUMN is_persistent boolean NOT NULL DEFAULT true`);
    await runner.query(`CREATE INDEX transcript_created ON transcript (created_at)`);
    await runner.query(`CREATE INDEX turn_usage_created ON turn_usage (created_at)`);
    await runner.query(`CREATE INDEX unfinished_turns_updated ON unfinished_turns (updated_at)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX turn_usage_created, transcript_created`);
    await runner.query(`ALTER TABLE sessions DROP COLUMN closed_at, DROP COLUMN is_persistent`);
    await runner.query(`DROP TABLE refused_keys, unfinished_turns`);
  }
}
