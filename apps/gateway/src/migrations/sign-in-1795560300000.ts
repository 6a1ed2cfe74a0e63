import type { MigrationInterface, QueryRunner } from 'typeorm';

export class SignIn1795560300000 implements MigrationInterface {
  name = 'SignIn1795560300000';

  async up(runner: QueryRunner): Promise<void> {
    // Who signs in with Google or GitHub alone has no password.
    await runner.query(`ALTER TABLE users ALTER COLUMN password_hash DROP NOT NULL`);
    await runner.query(`
      CREATE TABLE user_identities (
        provider text NOT NULL,
        subject text NOT NULL,
        user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (provider, subject)
      )`);
    // A sign-in that has begun: its state by hash, what proves that we began it sealed. Used once.
    await runner.query(`
      CREATE TABLE oauth_sign_ins (
        state_hash text PRIMARY KEY,
        provider text NOT NULL,
        sealed_proof text NOT NULL,
        expires_at timestamptz NOT NULL
      )`);
    await runner.query(`CREATE INDEX oauth_sign_ins_expiry ON oauth_sign_ins (expires_at)`);
    // Counts need not survive a crash of the database, and are written often.
    await runner.query(`
      CREATE UNLOGGED TABLE rate_counts (
        account_id uuid NOT NULL,
        minute bigint NOT NULL,
        count integer NOT NULL,
        PRIMARY KEY (account_id, minute)
      )`);
    await runner.query(`
      CREATE UNLOGGED TABLE login_tries (
        who text PRIMARY KEY,
        count integer NOT NULL,
        until timestamptz NOT NULL
      )`);
    await runner.query(`CREATE INDEX login_tries_until ON login_tries (until)`);
    // Answers may hold keys and tokens: they are kept sealed. Callers without an account have keys, too.
    await runner.query(`DROP TABLE idempotency`);
    await runner.query(`
      CREATE TABLE idempotency (
        scope text NOT NULL,
        key text NOT NULL,
        fingerprint text NOT NULL,
        status integer,
        sealed_body text,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (scope, key)
      )`);
    await runner.query(`CREATE INDEX idempotency_created ON idempotency (created_at)`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
