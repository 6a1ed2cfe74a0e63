import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Sign-ins of browsers, by a cookie, and the links by which one signs in on the machine itself. */
export class BrowserSessions1797100000000 implements MigrationInterface {
  name = 'BrowserSessions1797100000000';

  async up(runner: QueryRunner): Promise<void> {
    // A session ends with what it was begun by: an API key (its hash), or a user's sign-in. next_hash: of the secret
    // that was offered and not shown yet; previous_hash: of the one before, for requests that were under way.
    await runner.query(`
      CREATE TABLE browser_sessions (
        id uuid PRIMARY KEY,
        account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        login_session_id uuid REFERENCES login_sessions (id) ON DELETE CASCADE,
        key_hash text,
        secret_hash text NOT NULL,
        next_hash text,
        previous_hash text,
        created_at timestamptz NOT NULL DEFAULT now(),
        rotated_at timestamptz NOT NULL DEFAULT now(),
        offered_at timestamptz,
        expires_at timestamptz NOT NULL,
        revoked_at timestamptz,
        CHECK ((login_session_id IS NULL) <> (key_hash IS NULL))
      )`);
    await runner.query(`CREATE INDEX browser_sessions_account ON browser_sessions (account_id)`);
    await runner.query(`CREATE INDEX browser_sessions_login ON browser_sessions (login_session_id)`);
    await runner.query(`CREATE INDEX browser_sessions_expiry ON browser_sessions (expires_at)`);
    await runner.query(`
      CREATE TABLE sign_in_links (
        code_hash text PRIMARY KEY,
        account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        key_hash text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        expires_at timestamptz NOT NULL
      )`);
    await runner.query(`CREATE INDEX sign_in_links_account ON sign_in_links (account_id, created_at DESC)`);
    await runner.query(`CREATE INDEX sign_in_links_expiry ON sign_in_links (expires_at)`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
