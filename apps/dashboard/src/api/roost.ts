import { Roost } from '@roost-ai/sdk';

/**
 * The dashboard uses what any program uses. Who it is stands in a cookie that no script reads; the header shows that a
 * page of this Roost asks.
 */
export const roost = new Roost({ url: window.location.origin, headers: { 'x-roost-csrf': '1' } });
