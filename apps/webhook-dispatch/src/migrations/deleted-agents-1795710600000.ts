import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Agents that were deleted, for as long as there is history of them. awaited: deliveries of the agent that workers held
 * when it was deleted and have not recorded; `agent.deleted` (event_id) is not sent before they are, or awaited_until.
 */
export class DeletedAgents1795710600000 implements MigrationInterface {
  name = 'DeletedAgents1795710600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE deleted_agents (
        agent_id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        event_id uuid NOT NULL,
        awaited integer NOT NULL,
        awaited_until timestamptz NOT NULL,
        deleted_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query(`CREATE INDEX deleted_agents_account ON deleted_agents (account_id)`);
    await runner.query(`CREATE INDEX deleted_agents_deleted ON deleted_agents (deleted_at)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE deleted_agents`);
  }
}
