/** Of what connects to PostgreSQL. */
export const CONNECT_TIMEOUT_MS = 10_000;

/**
 * A machine that loses its power, and a firewall that forgets what it let through, end a connection without a word. Who waits
 * for the other side then asks whether it is there. What was sent and not received is another matter: the system repeats
 * it for a quarter of an hour, so that a statement needs a bound of its own.
 */
export const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelayMillis: 10_000 };

/**
 * The same for the server, which would wait two hours: it keeps the locks of who is gone, that of the relay among them, under
 * which all events are published. A socket of this machine has none of this. In ms, save for the first two, which are in s.
 */
export const SERVER_KEEP_ALIVE =
  '-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=4 -c tcp_user_timeout=30000';
