import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Registrations that wait, sign-ins that can be ended, password resets, deleted accounts. */
export class Credentials1795700200000 implements MigrationInterface {
  name = 'Credentials1795700200000';

  async up(runner: QueryRunner): Promise<void> {
    // One row per registration, several per email: a code verifies its own registration and no other's password.
    // The previous version's rows in `users` that were never verified count as nobody.
    await runner.query(`
      CREATE TABLE registrations (
        id uuid PRIMARY KEY,
        email text NOT NULL,
        password_hash text NOT NULL,
        code_hash text,
        code_expires_at timestamptz NOT NULL,
        code_tries integer NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp()
      )`);
    await runner.query(`CREATE INDEX registrations_email ON registrations (email, created_at DESC, id DESC)`);
    await runner.query(`CREATE INDEX registrations_created ON registrations (created_at)`);
    // A sign-in and all tokens that came of it. generation: of the one refresh token that counts.
    await runner.query(`
      CREATE TABLE login_sessions (
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        generation integer NOT NULL DEFAULT 0,
        retry_key_hash text,
        created_at timestamptz NOT NULL DEFAULT now(),
        rotated_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        revoked_at timestamptz
      )`);
    await runner.query(`CREATE INDEX login_sessions_user ON login_sessions (user_id)`);
    await runner.query(`CREATE INDEX login_sessions_expiry ON login_sessions (expires_at)`);
    // Tokens of the previous version name no sign-in: those made before this moment are refused.
    await runner.query(`ALTER TABLE users ADD COLUMN tokens_valid_after timestamptz NOT NULL DEFAULT '-infinity'`);
    await runner.query(`
      CREATE TABLE password_resets (
        token_hash text PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        expires_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp()
      )`);
    await runner.query(`CREATE INDEX password_resets_user ON password_resets (user_id, created_at DESC)`);
    await runner.query(`CREATE INDEX password_resets_expiry ON password_resets (expires_at)`);
    // Where somebody signed in from, as a hash of address and email: limits over all addresses do not hold there.
    await runner.query(`CREATE TABLE login_places (who text PRIMARY KEY, seen_at timestamptz NOT NULL DEFAULT now())`);
    await runner.query(`CREATE INDEX login_places_seen ON login_places (seen_at)`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
