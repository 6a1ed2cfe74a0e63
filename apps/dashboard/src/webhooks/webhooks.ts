import type { WebhookDelivery, WebhookEndpoint } from '@roost-ai/sdk';
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { roost } from '../api/roost.js';
import { toast, toastError } from '../components/toasts.js';

export const endpointsKey = ['webhooks', 'endpoints'] as const;
export const deliveriesKey = ['webhooks', 'deliveries'] as const;

/** At most 1,000 of an account. */
export const endpointsQuery = queryOptions({
  queryKey: endpointsKey,
  queryFn: ({ signal }) => roost.webhooks.endpoints.list({}, { signal }),
  refetchInterval: 30_000,
});

export const endpointQuery = (endpointId: string) =>
  queryOptions({
    queryKey: [...endpointsKey, endpointId],
    queryFn: ({ signal }) => roost.webhooks.endpoints.get(endpointId, { signal }),
    refetchInterval: 30_000,
  });

export const deliveryQuery = (deliveryId: string) =>
  queryOptions({
    queryKey: [...deliveriesKey, deliveryId],
    queryFn: ({ signal }) => roost.webhooks.deliveries.get(deliveryId, { signal }),
    refetchInterval: ({ state }) => (state.data?.status === 'pending' ? 2_000 : 30_000),
  });

export type DeliveryStatus = WebhookDelivery['status'];

/** What is done with an endpoint from a list or its own page. */
export function useEndpointAction() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ endpoint, enabled }: { endpoint: WebhookEndpoint; enabled: boolean }) =>
      roost.webhooks.endpoints.update(endpoint.id, { enabled }),
    onMutate: ({ endpoint, enabled }) => {
      const set = (one: WebhookEndpoint) => (one.id === endpoint.id ? { ...one, enabled } : one);
      client.setQueryData(endpointsQuery.queryKey, (all) => all?.map(set));
      client.setQueryData(endpointQuery(endpoint.id).queryKey, (one) => one && set(one));
    },
    onSuccess: (_, { enabled }) => toast(enabled ? 'Events are sent to it again.' : 'Nothing is sent to it any more.'),
    onError: toastError,
    onSettled: () => client.invalidateQueries({ queryKey: endpointsKey }),
  });
}
