import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { buttonClass } from '../components/button.js';
import { ErrorNote, Skeletons } from '../components/feedback.js';
import { useTitle } from '../components/page.js';
import { takeBegun } from './oauth.js';
import { useSignIn } from './session.js';

const route = getRouteApi('/sign-in/callback');

/** Where Google and GitHub send the browser back to: ROOST_OAUTH_REDIRECT_URL names this page. */
export function OAuthCallbackPage() {
  useTitle('Signing in');
  const { code, state, iss, error } = route.useSearch();
  const navigate = useNavigate();
  const signIn = useSignIn();
  const isTaken = useRef(false);
  const [refused, setRefused] = useState<Error>();
  useEffect(() => {
    if (isTaken.current) return;
    isTaken.current = true;
    const begun = takeBegun(state);
    if (!begun || code === undefined || state === undefined) {
      setRefused(
        new Error(error ?? 'This sign-in was not begun in this tab, or it was answered already: begin again.'),
      );
      return;
    }
    const proof = { provider: begun.provider, code, state, ...(iss === undefined ? {} : { iss }) };
    signIn.mutate(proof, { onSuccess: () => void navigate({ href: begun.to, replace: true }), onError: setRefused });
  });
  return (
    <main className="mx-auto flex min-h-dvh max-w-md flex-col justify-center gap-4 px-4">
      <h1 className="text-xl font-semibold">Signing in</h1>
      {refused ? (
        <>
          <ErrorNote title="You are not signed in" error={refused} />
          <Link to="/sign-in" className={buttonClass('primary')}>
            Sign in again
          </Link>
        </>
      ) : (
        <Skeletons count={2} />
      )}
    </main>
  );
}
