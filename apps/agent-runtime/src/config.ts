import { sealingEnvironment } from '#lib/auth';
import { busEnvironment, databaseEnvironment, secret } from '#lib/config';
import { quotaEnvironment } from '#lib/quotas';
import { z } from 'zod';
import type { PlatformModels } from './models/model-registry.js';
import { modelPrices } from './usage/prices.js';

export const Config = z.object({
  ...busEnvironment,
  ...databaseEnvironment,
  ...sealingEnvironment,
  /** What accounts may pile up (docs/limits.md). */
  ...quotaEnvironment,
  ANTHROPIC_API_KEY: secret(z.string()).optional(),
  OPENAI_API_KEY: secret(z.string()).optional(),
  GOOGLE_API_KEY: secret(z.string()).optional(),
  ANTHROPIC_BASE_URL: z.url().optional(),
  GOOGLE_BASE_URL: z.url().optional(),
  /** A server that speaks OpenAI's /chat/completions, e.g. http://127.0.0.1:11434/v1. */
  OPENAI_BASE_URL: z.url().optional(),
  /** What models cost, as JSON: `{"openai/my-model": {"input": 1.5, "output": 6}}`, US dollars per million tokens (docs/usage-and-budgets.md). */
  ROOST_MODEL_PRICES: modelPrices.optional(),
  ROOST_DEFAULT_MODEL: z.string().min(1).max(200).optional(),
  /** How long a model's provider may send nothing at all before the call is given up and tried again. */
  ROOST_MODEL_SILENCE_SECONDS: z.coerce.number().min(1).max(3_600).default(300),
  /** About how long after a provider's passing failure a call is made again within its turn, once. */
  ROOST_MODEL_RETRY_MS: z.coerce.number().int().min(0).max(60_000).default(2_000),
  /** `local` lets MCP servers be on this machine and speak plain HTTP: for one's own machine, not for servers. */
  ROOST_MCP_NETWORK: z.enum(['public', 'local']).default('public'),
  /** Where users return to after granting an MCP server access, unless the request names another address. */
  ROOST_MCP_REDIRECT_URI: z.url().optional(),
  /** Where the gateway is reached: its page is where they return to otherwise. */
  PUBLIC_URL: z.url().default('http://127.0.0.1:3000'),
  /** How long the transcripts of ended sessions, and what summaries have replaced, stay readable. */
  ROOST_TRANSCRIPT_DAYS: z.coerce.number().int().min(1).max(36_500).default(90),
  /** How long the steps of runs can be looked at. messaging keeps the runs as long. */
  ROOST_RUN_DAYS: z.coerce.number().int().min(1).max(36_500).default(90),
  /** How long it is kept what each turn of a version before runs has used. */
  ROOST_USAGE_DAYS: z.coerce.number().int().min(1).max(36_500).default(400),
  /** How long running turns may go on after a stop was asked for, before they are handed to another worker: 5 s before those who stop us lose patience. */
  ROOST_SHUTDOWN_GRACE_SECONDS: z.coerce.number().min(0).max(3_600).default(20),
  /** Turns that one runtime process runs side by side. */
  ROOST_MAX_TURNS: z.coerce.number().int().min(1).max(1_000).default(25),
  /** Most of them that one account holds; fewer while others hold many. Four fifths unless it is set. */
  ROOST_ACCOUNT_TURNS: z.coerce.number().int().min(1).max(1_000).optional(),
});
export type Config = z.output<typeof Config>;

export function platformModels(config: Config): PlatformModels {
  return {
    keys: {
      ...(config.ANTHROPIC_API_KEY ? { anthropic: config.ANTHROPIC_API_KEY } : {}),
      ...(config.OPENAI_API_KEY ? { openai: config.OPENAI_API_KEY } : {}),
      ...(config.GOOGLE_API_KEY ? { google: config.GOOGLE_API_KEY } : {}),
    },
    anthropicBaseUrl: config.ANTHROPIC_BASE_URL,
    googleBaseUrl: config.GOOGLE_BASE_URL,
    openaiBaseUrl: config.OPENAI_BASE_URL,
    defaultModel: config.ROOST_DEFAULT_MODEL,
    silenceMs: config.ROOST_MODEL_SILENCE_SECONDS * 1_000,
    retryMs: config.ROOST_MODEL_RETRY_MS,
  };
}
