import fastify from 'fastify';
import { randomUUID } from 'node:crypto';
import pg from 'pg';

/**
 * The floor that accepting messages is measured against: a server that does nothing but store each message as one row
 * in one commit, with fastify and pg as one would write it by hand. A process of its own, as Roost is.
 */
const pool = new pg.Pool({
  connectionString: process.env.DATABASE_URL,
  max: 20,
  options: '-c synchronous_commit=on',
});
await pool.query(`CREATE TABLE IF NOT EXISTS public.floor_messages (
  id uuid PRIMARY KEY, agent_id uuid NOT NULL, content text NOT NULL, created_at timestamptz NOT NULL DEFAULT now())`);
const server = fastify();
server.post('/messages', async (request, reply) => {
  const { agent_id, content } = request.body as { agent_id: string; content: string };
  const { rows } = await pool.query<object>({
    name: 'insert',
    text: `INSERT INTO public.floor_messages (id, agent_id, content) VALUES ($1, $2, $3) RETURNING *`,
    values: [randomUUID(), agent_id, content],
  });
  return reply.code(201).send(rows[0]);
});
const url = await server.listen({ port: 0, host: '127.0.0.1' });
process.once('disconnect', () => void Promise.all([server.close(), pool.end()]).then(() => process.exit(0)));
process.send?.(url);
