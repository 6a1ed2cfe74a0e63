import type { IconName } from '../components/icon-name.js';

/** The screens of one agent. One that is not there is not here. */
export const AGENT_TABS: {
  to: `/agents/$agentId/${'chat' | 'runs' | 'files' | 'schedules' | 'triggers' | 'channels' | 'mcp' | 'secrets' | 'memory' | 'configuration' | 'versions'}`;
  label: string;
  icon: IconName;
}[] = [
  { to: '/agents/$agentId/chat', label: 'Chat', icon: 'message-square' },
  { to: '/agents/$agentId/runs', label: 'Runs', icon: 'activity' },
  { to: '/agents/$agentId/files', label: 'Files', icon: 'folder' },
  { to: '/agents/$agentId/schedules', label: 'Schedules', icon: 'calendar-clock' },
  { to: '/agents/$agentId/triggers', label: 'Triggers', icon: 'zap' },
  { to: '/agents/$agentId/channels', label: 'Channels', icon: 'messages-square' },
  { to: '/agents/$agentId/mcp', label: 'MCP', icon: 'plug' },
  { to: '/agents/$agentId/secrets', label: 'Secrets', icon: 'key' },
  { to: '/agents/$agentId/memory', label: 'Memory', icon: 'brain' },
  { to: '/agents/$agentId/configuration', label: 'Configuration', icon: 'sliders-horizontal' },
  { to: '/agents/$agentId/versions', label: 'Versions', icon: 'history' },
];
