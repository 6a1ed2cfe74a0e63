/** A hint to the holder of a bot's connection: there is something to show. */
export const DELIVER = 'channels.deliver';
