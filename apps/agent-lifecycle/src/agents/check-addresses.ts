import { type AgentConfiguration, type ConfigurationPatch, snakeCase } from '#lib/contracts';
import { checkRegisteredUrl, policyOf } from '#lib/net-guard';
import type { LifecycleConfig } from '../config.js';

type Networks = Pick<LifecycleConfig, 'ROOST_WEBHOOK_NETWORK' | 'ROOST_MCP_NETWORK'>;

/**
 * Checks the addresses that a configuration gives, as those of account webhooks and MCP servers are. How many there are
 * is bounded by the operator's maxima, to be checked before. Errors: VALIDATION_ERROR naming the field.
 */
export async function checkAddresses(
  configuration: AgentConfiguration | ConfigurationPatch | null | undefined,
  networks: Networks,
): Promise<void> {
  const webhooks = Object.entries(configuration?.webhooks ?? {}).flatMap(([name, url]) =>
    url
      ? [checkRegisteredUrl(url, policyOf(networks.ROOST_WEBHOOK_NETWORK), `configuration.webhooks.${snakeCase(name)}`)]
      : [],
  );
  const servers = Object.entries(configuration?.mcpServers ?? {}).flatMap(([name, server]) =>
    'url' in server
      ? [checkRegisteredUrl(server.url, policyOf(networks.ROOST_MCP_NETWORK), `configuration.mcp_servers.${name}.url`)]
      : [],
  );
  await Promise.all([...webhooks, ...servers]);
}
