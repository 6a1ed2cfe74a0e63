import type { DeliveryStatus } from './webhooks.js';
import type { Tone } from '../components/feedback.js';

/** What a status is called, and what it means. */
export const DELIVERY_STATUSES: Record<DeliveryStatus, { label: string; tone: Tone; about: string }> = {
  pending: { label: 'Pending', tone: 'accent', about: 'It is tried now, or again later' },
  succeeded: { label: 'Succeeded', tone: 'ok', about: 'The receiver answered 2xx' },
  dead: { label: 'Dead', tone: 'bad', about: 'It failed ten times: it is sent again only if you resend it' },
  blocked: { label: 'Blocked', tone: 'bad', about: 'Its address may not be called' },
  cancelled: { label: 'Cancelled', tone: 'neutral', about: 'Its agent was deleted' },
};

export const deliveryStatus = (value: unknown): DeliveryStatus | undefined =>
  typeof value === 'string' && value in DELIVERY_STATUSES ? (value as DeliveryStatus) : undefined;
