import { createEventTables } from '#lib/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Accounts1795560000000 implements MigrationInterface {
  name = 'Accounts1795560000000';

  async up(runner: QueryRunner): Promise<void> {
    await createEventTables(runner);
    await runner.query(`
      CREATE TABLE accounts (
        id uuid PRIMARY KEY,
        name text NOT NULL UNIQUE,
        agents_enabled boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query(`
      CREATE TABLE api_keys (
        id uuid PRIMARY KEY,
        account_id uuid NOT NULL REFERENCES accounts (id),
        name text NOT NULL,
        prefix text NOT NULL,
        hash text NOT NULL UNIQUE,
        created_at timestamptz NOT NULL DEFAULT now(),
        revoked_at timestamptz
      )`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
