import { Roost, type RoostOptions } from '@roost-ai/sdk';

/**
 * The dashboard uses what any program uses. Who it is stands in a cookie that no script reads; the header shows that a
 * page of this Roost asks.
 */
export const roostOptions: RoostOptions = { url: window.location.origin, headers: { 'x-roost-csrf': '1' } };

export const roost = new Roost(roostOptions);
