import type { VaultGrant, VaultSecret } from '@roost-ai/sdk';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { AgentPage } from '../agents/agent-page.js';
import { roost } from '../api/roost.js';
import { Button, buttonClass } from '../components/button.js';
import { Confirm } from '../components/dialog.js';
import { Badge, Empty, ErrorNote, Skeletons } from '../components/feedback.js';
import { CheckField, SelectField, TextField } from '../components/field.js';
import { Section } from '../components/page.js';
import { Time } from '../components/time.js';
import { toast, toastError } from '../components/toasts.js';
import { visibleText } from '../components/visible-text.js';
import { errorsByField } from '../schema-form/errors-by-field.js';
import { grantsQuery, secretsQuery, vaultKey } from './vault.js';

const route = getRouteApi('/app/agents/$agentId/secrets');

/** Which secrets of the vault this agent may use, and what it did with them. */
export function AgentSecretsPage() {
  const { agentId } = route.useParams();
  const { data: grants, error, refetch } = useQuery(grantsQuery(agentId));
  const { data: secrets } = useQuery(secretsQuery);
  const others = secrets?.filter(({ id }) => !grants?.some((grant) => grant.secret_id === id));
  return (
    <AgentPage
      title="Secrets"
      about="Keys of the vault that this agent uses and never sees. Its sandbox has a placeholder, which is replaced on requests to the secret’s hosts."
    >
      {error && !grants && (
        <ErrorNote error={error} title="The secrets cannot be listed" onRetry={() => void refetch()} />
      )}
      {!grants && !error && <Skeletons count={2} className="h-20" />}
      {grants && grants.length > 0 && (
        <ul
          aria-label="Granted secrets"
          className="mb-4 divide-y divide-line rounded-2xl border border-line bg-surface"
        >
          {grants.map((grant) => (
            <GrantRow key={grant.id} grant={grant} />
          ))}
        </ul>
      )}
      {grants && secrets?.length === 0 && <NoSecrets agentId={agentId} />}
      {grants && others && others.length > 0 && <NewGrant key={grants.length} agentId={agentId} secrets={others} />}
      {grants && grants.length > 0 && others?.length === 0 && (
        <p className="text-sm text-soft">
          It may use all secrets of the account.{' '}
          <Link to="/settings/vault" search={{ edit: 'new' }} className="text-accent underline">
            Put another in
          </Link>
        </p>
      )}
    </AgentPage>
  );
}

const NoSecrets = ({ agentId }: { agentId: string }) => (
  <Empty
    icon="shield"
    title="The vault is empty"
    code={`const { id } = await roost.vault.create({\n  name: 'github',\n  hosts: ['api.github.com'],\n  credential: { kind: 'bearer', token },\n});\nawait roost.agent('${agentId}').secrets.grant({ secret_id: id, env_name: 'GITHUB_TOKEN' });`}
    cli={`roost vault set github --host api.github.com < token.txt\nroost vault grant github ${agentId} --env GITHUB_TOKEN`}
    action={
      <Link to="/settings/vault" search={{ edit: 'new' }} className={buttonClass('primary')}>
        Put a secret in
      </Link>
    }
  >
    A secret is put in once for the account; here you choose which ones this agent may use.
  </Empty>
);

function GrantRow({ grant }: { grant: VaultGrant }) {
  const { secret, env_name: envName, use_count: uses, refusal_count: refusals } = grant;
  return (
    <li className="flex items-center gap-3 py-4 pr-3 pl-5">
      <div className="min-w-0 grow space-y-1">
        <h2 className="flex flex-wrap items-center gap-x-2.5 gap-y-1 font-medium wrap-anywhere">
          {secret}
          {envName === null ? <Badge>By host</Badge> : <code className="font-mono text-xs text-soft">${envName}</code>}
          {grant.ask && (
            <Badge tone="warn" title="A person is asked before a request carries it">
              Asks first
            </Badge>
          )}
        </h2>
        <p className="text-xs text-soft">
          {grant.last_used_at === null ? (
            'Never used'
          ) : (
            <>
              Used {uses === 1 ? 'once' : `${uses} times`}, last <Time at={grant.last_used_at} />
            </>
          )}
        </p>
        {grant.last_refused_at !== null && (
          <p className="text-xs wrap-anywhere text-bad">
            Refused {refusals === 1 ? 'once' : `${refusals} times`}, last <Time at={grant.last_refused_at} />:{' '}
            {visibleText(grant.last_refusal ?? '')}
          </p>
        )}
      </div>
      <AskToggle grant={grant} />
      <Revoke grant={grant} />
    </li>
  );
}

function AskToggle({ grant: { id, agent_id: agentId, secret, ask } }: { grant: VaultGrant }) {
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: () => roost.agent(agentId).secrets.update(id, { ask: !ask }),
    onSuccess: () => {
      toast(ask ? `${secret} is used without asking.` : `Each request with ${secret} waits for an approval.`);
      return client.invalidateQueries({ queryKey: vaultKey });
    },
    onError: toastError,
  });
  return (
    <Button
      isBusy={change.isPending}
      onClick={() => change.mutate()}
      aria-label={ask ? `Do not ask about ${secret}` : `Ask first about ${secret}`}
    >
      {ask ? 'Do not ask' : 'Ask first'}
    </Button>
  );
}

function Revoke({ grant: { id, agent_id: agentId, secret } }: { grant: VaultGrant }) {
  const [isAsked, setAsked] = useState(false);
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => roost.agent(agentId).secrets.revoke(id),
    onSuccess: () => {
      toast(`The agent cannot use ${secret} any more.`);
      setAsked(false);
      return client.invalidateQueries({ queryKey: vaultKey });
    },
    onError: toastError,
  });
  return (
    <>
      <Button onClick={() => setAsked(true)} aria-label={`Revoke ${secret}`}>
        Revoke
      </Button>
      <Confirm
        isOpen={isAsked}
        onClose={() => setAsked(false)}
        onConfirm={() => revoke.mutate()}
        title={`Take ${secret} away from this agent?`}
        action="Revoke it"
        isBusy={revoke.isPending}
      >
        No further request carries it, and open connections that do end.
      </Confirm>
    </>
  );
}

function NewGrant({ agentId, secrets }: { agentId: string; secrets: VaultSecret[] }) {
  const [secretId, setSecretId] = useState(secrets[0]?.id ?? '');
  const [envName, setEnvName] = useState('');
  const [ask, setAsk] = useState(false);
  const client = useQueryClient();
  const grant = useMutation({
    mutationFn: () =>
      roost.agent(agentId).secrets.grant({ secret_id: secretId, env_name: envName.trim() || null, ask }),
    onSuccess: async () => {
      toast('Granted. A sandbox that runs gets the variable when it is quiet.');
      await client.invalidateQueries({ queryKey: vaultKey });
    },
  });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    grant.mutate();
  };
  return (
    <Section title="Grant a secret">
      <form onSubmit={onSubmit} className="grid items-start gap-4 sm:grid-cols-2">
        <SelectField label="Secret" value={secretId} onChange={({ target }) => setSecretId(target.value)}>
          {secrets.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </SelectField>
        <TextField
          label="Variable"
          placeholder="GITHUB_TOKEN"
          hint="Of the sandbox, to hold the placeholder. Without one the secret is put on every request to its hosts."
          value={envName}
          onChange={({ target }) => setEnvName(target.value)}
          error={errorsByField(grant.error)['env_name']}
          className="font-mono"
        />
        <CheckField
          label="Ask first"
          hint="Each request that would carry it waits for an approval."
          checked={ask}
          onChange={({ target }) => setAsk(target.checked)}
        />
        <div className="space-y-3 sm:col-span-2">
          <Button type="submit" kind="primary" isBusy={grant.isPending}>
            Grant it
          </Button>
          {grant.error && <ErrorNote error={grant.error} title="It was not granted" />}
        </div>
      </form>
    </Section>
  );
}
