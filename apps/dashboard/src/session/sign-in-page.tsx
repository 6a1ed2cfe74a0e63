import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { roost } from '../api/roost.js';
import { Button } from '../components/button.js';
import { CodeLine } from '../components/code.js';
import { ErrorNote } from '../components/feedback.js';
import { TextField } from '../components/field.js';
import { useTitle } from '../components/page.js';
import { Segmented } from '../components/segmented.js';
import { Brand } from '../shell/brand.js';
import { beginOAuth } from './oauth.js';
import { useSignIn } from './session.js';

const route = getRouteApi('/sign-in');
const WAYS = [
  { value: 'key', label: 'API key' },
  { value: 'password', label: 'Email' },
] as const;
const PROVIDER_NAMES = { google: 'Google', github: 'GitHub' };

export function SignInPage() {
  useTitle('Sign in');
  const { to = '/agents' } = route.useSearch();
  const [way, setWay] = useState<'key' | 'password'>('key');
  const navigate = useNavigate();
  const signIn = useSignIn();
  const isLinkTaken = useRef(false);
  const methods = useQuery({ queryKey: ['sign-in-methods'], queryFn: () => roost.auth.signInMethods() });
  const enter = (proof: Parameters<typeof signIn.mutate>[0]) =>
    signIn.mutate(proof, { onSuccess: () => void navigate({ href: to, replace: true }) });

  // The link of `npm start`: its code is used at once, and stands in no history.
  useEffect(() => {
    const link = new URLSearchParams(window.location.hash.slice(1)).get('link');
    if (link === null || isLinkTaken.current) return;
    isLinkTaken.current = true;
    window.history.replaceState(null, '', '/sign-in');
    enter({ link });
  });

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const text = (name: string) => {
      const value = given.get(name);
      return typeof value === 'string' ? value : '';
    };
    enter(
      way === 'key' ? { api_key: text('key').trim() } : { email: text('email').trim(), password: text('password') },
    );
  };

  return (
    <main className="flex min-h-dvh flex-col items-center justify-center px-4 py-10">
      <div className="w-full max-w-sm space-y-6">
        <div className="flex flex-col items-center gap-3 text-center">
          <Brand size="large" />
          <h1 className="text-xl font-semibold tracking-tight">Sign in to Roost</h1>
        </div>
        {signIn.error && <ErrorNote title="You are not signed in" error={signIn.error} />}
        <form onSubmit={submit} className="space-y-4 rounded-2xl border border-line bg-surface p-5">
          <Segmented label="How to sign in" options={WAYS} value={way} onChange={setWay} className="w-full" />
          {way === 'key' ? (
            <TextField
              key="key"
              name="key"
              type="password"
              label="API key"
              required
              placeholder="roost_sk_…"
              hint="npm start prints it, and keeps it in .roost/api-key."
            />
          ) : (
            <>
              <TextField key="email" name="email" type="email" label="Email" required autoComplete="username" />
              <TextField name="password" type="password" label="Password" required autoComplete="current-password" />
            </>
          )}
          <Button type="submit" kind="primary" isBusy={signIn.isPending} className="w-full">
            Sign in
          </Button>
        </form>
        {methods.data?.providers.map((provider) => (
          <Button key={provider} className="w-full" onClick={() => void beginOAuth(provider, to)}>
            Continue with {PROVIDER_NAMES[provider]}
          </Button>
        ))}
        <details className="text-sm text-soft">
          <summary className="py-1 text-center">On the machine that Roost runs on?</summary>
          <div className="space-y-2 pt-2">
            <p>Each start prints a link that signs you in once, for 15 minutes. Otherwise read the key:</p>
            <CodeLine code="cat .roost/api-key" />
          </div>
        </details>
      </div>
    </main>
  );
}
