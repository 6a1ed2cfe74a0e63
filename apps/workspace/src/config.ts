import { text } from 'node:stream/consumers';
import { z } from 'zod';

/** What the host gives the daemon at start, as JSON on standard input. No secret is in it but the agent's own custom_env. */
export const WorkspaceConfig = z.strictObject({
  agentId: z.string().min(1),
  /** Environment of the agent's commands. */
  env: z.record(z.string(), z.string()),
  inboxPrefix: z.string(),
  /** Of the agent's commands together; the daemon keeps some for itself. */
  maxProcesses: z.number().int().positive(),
  volumeBytes: z.number().int().positive(),
  /** The volume's file system has that size; else the daemon enforces it. */
  isVolumeBounded: z.boolean().default(false),
  root: z.string().default('/workspace'),
  /** A certificate that commands trust besides the system's, to be written there with those. */
  trust: z.object({ folder: z.string(), certificate: z.string() }).optional(),
});
export type WorkspaceConfig = z.output<typeof WorkspaceConfig>;

export async function readConfig(input: NodeJS.ReadableStream): Promise<WorkspaceConfig> {
  return WorkspaceConfig.parse(JSON.parse(await text(input)));
}
