import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { roost } from '../api/roost.js';
import { Button } from '../components/button.js';
import { CopyButton } from '../components/code.js';
import { ErrorNote } from '../components/feedback.js';
import { Facts } from '../components/facts.js';
import { TextField } from '../components/field.js';
import { Page, Section } from '../components/page.js';
import { Time } from '../components/time.js';
import { toast, toastError } from '../components/toasts.js';
import { errorsByField } from '../schema-form/errors-by-field.js';
import { sessionQuery, useSignOut } from '../session/session.js';
import { SettingsTabs } from './settings-tabs.js';

/** Who is signed in. */
export function ProfilePage() {
  const { data: user } = useQuery(sessionQuery);
  const signOut = useSignOut();
  return (
    <Page title="Settings" tabTitle="Profile" about="Who you are here, and how you sign in.">
      <SettingsTabs />
      {user && (
        <div className="max-w-3xl space-y-5">
          <Section
            title={user.email ?? 'Signed in by an API key'}
            actions={
              <Button icon="log-out" isBusy={signOut.isPending} onClick={() => signOut.mutate()}>
                Sign out
              </Button>
            }
          >
            <Facts
              facts={{
                Account: (
                  <span className="flex items-center">
                    <code className="font-mono text-xs">{user.account_id}</code>
                    <CopyButton text={user.account_id} label="Copy the account’s id" />
                  </span>
                ),
                Agents: user.agents_enabled ? 'Enabled' : 'Not enabled: whoever runs this Roost can do it',
                Registered: user.created_at && <Time at={user.created_at} />,
              }}
            />
          </Section>
          {user.email === null ? (
            <p className="text-sm text-soft">
              A key belongs to the account, and to no person: it has no password. Revoke it among the API keys to end
              what was begun with it.
            </p>
          ) : (
            <>
              <Password />
              <Everywhere />
            </>
          )}
        </div>
      )}
    </Page>
  );
}

function Password() {
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const change = useMutation({
    mutationFn: () =>
      roost.auth.changePassword({ new_password: next, ...(current === '' ? {} : { current_password: current }) }),
    onSuccess: () => {
      setCurrent('');
      setNext('');
      toast('The password is changed.');
    },
  });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    change.mutate();
  };
  const errors = errorsByField(change.error);
  return (
    <Section title="Password">
      <form onSubmit={onSubmit} className="space-y-4">
        <TextField
          label="Present password"
          type="password"
          autoComplete="current-password"
          hint="Empty if you have none, because you sign in with Google or GitHub."
          value={current}
          onChange={({ target }) => setCurrent(target.value)}
          error={errors['current_password']}
        />
        <TextField
          label="New password"
          type="password"
          autoComplete="new-password"
          required
          minLength={8}
          maxLength={1_000}
          value={next}
          onChange={({ target }) => setNext(target.value)}
          error={errors['new_password']}
        />
        {change.error && <ErrorNote error={change.error} title="The password was not changed" />}
        <Button type="submit" isBusy={change.isPending}>
          Change the password
        </Button>
      </form>
    </Section>
  );
}

function Everywhere() {
  const signOut = useSignOut();
  const end = useMutation({
    mutationFn: () => roost.auth.logoutEverywhere(),
    onSuccess: () => signOut.mutate(),
    onError: toastError,
  });
  return (
    <Section title="Other devices">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p className="text-sm text-soft">Ends every sign-in of yours, this one too. API keys go on.</p>
        <Button isBusy={end.isPending} onClick={() => end.mutate()}>
          Sign out everywhere
        </Button>
      </div>
    </Section>
  );
}
