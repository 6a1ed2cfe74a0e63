const timeoutMs = 7_000;

/**
 * Ends with code 0 when the service that runs here is well. The gateway answers for all: it is ready when everything
 * that messages need is; the others are asked whether they started and still run.
 */
export async function checkHealth(): Promise<void> {
  const { PORT = '3000', ROOST_METRICS_PORT } = process.env;
  const url = ROOST_METRICS_PORT
    ? `http://127.0.0.1:${ROOST_METRICS_PORT}/live`
    : `http://127.0.0.1:${PORT}/health/ready`;
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    const body = await answer.text();
    if (answer.ok) return;
    console.error(`${url} answers ${answer.status}: ${body.slice(0, 500)}`);
  } catch (error) {
    console.error(`${url} does not answer: ${String(error)}`);
  }
  process.exitCode = 1;
}
