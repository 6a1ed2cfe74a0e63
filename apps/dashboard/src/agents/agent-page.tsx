import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import type { ComponentProps } from 'react';
import { Page } from '../components/page.js';
import { agentQuery } from './agents.js';

/** A page of one agent, whose name stands above it already. */
export function AgentPage({ title, ...rest }: Omit<ComponentProps<typeof Page>, 'tabTitle' | 'level'>) {
  const { agentId } = useParams({ from: '/app/agents/$agentId' });
  const { data: agent } = useQuery(agentQuery(agentId));
  return <Page title={title} tabTitle={`${title} · ${agent?.name ?? 'agent'}`} level={2} {...rest} />;
}
