/** What a browser does at the OpenID provider: sign in, consent, come back with a code. */
export async function browse(url: string, login: string, redirectUrl: string): Promise<Record<string, string>> {
  const cookies = new Map<string, string>();
  const go = async (to: string, form?: Record<string, string>): Promise<string> => {
    const response = await fetch(to, {
      method: form ? 'POST' : 'GET',
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form ? { body: new URLSearchParams(form) } : {}),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';');
      const at = pair.indexOf('=');
      cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    const location = response.headers.get('location');
    if (location) {
      const next = new URL(location, to).href;
      return next.startsWith(redirectUrl) ? next : go(next);
    }
    const page = await response.text();
    const action = /action="([^"]+)"/.exec(page)?.[1];
    const prompt = /name="prompt" value="([^"]+)"/.exec(page)?.[1];
    if (!action || !prompt) throw new Error(`${response.status} ${to}: ${page.slice(0, 300)}`);
    return go(new URL(action, to).href, { prompt, login, password: 'any' });
  };
  const back = new URL(await go(url));
  return Object.fromEntries(back.searchParams);
}
