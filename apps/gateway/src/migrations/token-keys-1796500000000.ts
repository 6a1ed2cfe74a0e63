import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Keys that sign tokens with ES256. Apart from `signing_keys`, since the version before signs with whatever it finds there. */
export class TokenKeys1796500000000 implements MigrationInterface {
  name = 'TokenKeys1796500000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE token_keys (
        kid text PRIMARY KEY,
        public_key jsonb NOT NULL,
        sealed_private_key text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        signs_from timestamptz NOT NULL
      )`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
