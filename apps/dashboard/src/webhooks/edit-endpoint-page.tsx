import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { roost } from '../api/roost.js';
import { BackLink } from '../components/back-link.js';
import { CancelLink, EditorActions, EditorForm } from '../components/editor-form.js';
import { ErrorNote, Skeletons } from '../components/feedback.js';
import { Page } from '../components/page.js';
import { errorsByField } from '../schema-form/errors-by-field.js';
import { type EndpointDraft, EndpointForm } from './endpoint-form.js';
import { SigningSecret } from './signing-secret.js';
import { endpointQuery, endpointsKey } from './webhooks.js';

const editRoute = getRouteApi('/app/webhooks/$endpointId/edit');
const EMPTY: EndpointDraft = { url: '', events: ['*'], description: null, agent_ids: null };

/** What an endpoint was saved as; of a new one the secret, too. */
interface Saved {
  endpointId: string;
  secret?: string;
}

export function NewEndpointPage() {
  const save = async (draft: EndpointDraft): Promise<Saved> => {
    const { endpoint, secret } = await roost.webhooks.endpoints.create(draft);
    return { endpointId: endpoint.id, secret };
  };
  return (
    <Page title="New endpoint" back={<BackLink to="/webhooks">Webhooks</BackLink>}>
      <Editor draft={EMPTY} save={save} action="Make the endpoint" />
    </Page>
  );
}

export function EditEndpointPage() {
  const { endpointId } = editRoute.useParams();
  const { data, error, refetch } = useQuery(endpointQuery(endpointId));
  const save = async (draft: EndpointDraft): Promise<Saved> => {
    await roost.webhooks.endpoints.update(endpointId, draft);
    return { endpointId };
  };
  return (
    <Page title="Edit the endpoint" back={<BackLink to="/webhooks">Webhooks</BackLink>}>
      {error && !data && <ErrorNote error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Skeletons count={3} className="h-48" />}
      {data && <Editor draft={data} save={save} action="Save" />}
    </Page>
  );
}

interface EditorProps {
  draft: EndpointDraft;
  save: (draft: EndpointDraft) => Promise<Saved>;
  action: string;
}

function Editor({ draft: { url, events, description, agent_ids }, save, action }: EditorProps) {
  const [begun] = useState<EndpointDraft>({ url, events, description, agent_ids });
  const [draft, setDraft] = useState(begun);
  const client = useQueryClient();
  const navigate = useNavigate();
  const show = (endpointId: string) => void navigate({ to: '/webhooks/$endpointId', params: { endpointId } });
  const saved = useMutation({
    mutationFn: () => save(draft),
    onSuccess: ({ endpointId, secret }) => {
      void client.invalidateQueries({ queryKey: endpointsKey });
      if (secret === undefined) show(endpointId);
    },
  });
  return (
    <EditorForm
      saving={saved}
      onSave={saved.mutate}
      isChanged={draft !== begun && !saved.isSuccess}
      what="the endpoint"
      className="max-w-3xl space-y-5"
    >
      <EndpointForm draft={draft} onChange={setDraft} errors={errorsByField(saved.error)} />
      <EditorActions saving={saved} what="the endpoint" cancel={<CancelLink to="/webhooks" />} action={action} />
      <SigningSecret secret={saved.data?.secret} onClose={() => saved.data && show(saved.data.endpointId)} />
    </EditorForm>
  );
}
