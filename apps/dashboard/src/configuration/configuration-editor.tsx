import { type AgentDetails, type Api, ConflictError } from '@roost-ai/sdk';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { AgentDraft } from '../agents/agent-draft.js';
import { AgentForm } from '../agents/agent-form.js';
import { agentKey, agentQuery, agentsKey } from '../agents/agents.js';
import type { KeyChanges } from '../agents/provider-key-fields.js';
import { roost } from '../api/roost.js';
import { Button } from '../components/button.js';
import { CancelLink, EditorActions, EditorForm } from '../components/editor-form.js';
import { TextField } from '../components/field.js';
import { toast, toastError } from '../components/toasts.js';
import { ExplainCall } from '../permissions/explain-call.js';
import { errorsByField } from '../schema-form/errors-by-field.js';
import { type Conflict, ConflictDialog } from './conflict-dialog.js';
import { changeOf, fieldsOf, isEmpty, type Settings, settingsOf, withChange } from './settings.js';
import { notInDrafts, useDrafting } from './use-drafting.js';

/** What was edited, and of which version. */
interface Edit {
  version: number;
  settings: Settings;
}

/** Edits an agent. It is saved only over the version that was edited: whoever was faster is shown first. */
export function ConfigurationEditor({ agent }: { agent: AgentDetails }) {
  const client = useQueryClient();
  const [base, setBase] = useState<Edit>(() => editOf(agent));
  const [draft, setDraft] = useState<AgentDraft>(base.settings);
  const [keys, setKeys] = useState<KeyChanges>({});
  const [note, setNote] = useState('');
  const [isWhole, setWhole] = useState(true);
  /** Of what the form begins with. */
  const [generation, setGeneration] = useState(0);
  const [conflict, setConflict] = useState<Conflict>();
  const change = changeOf(base.settings, draft);
  const isChanged = !isEmpty(change) || !isEmpty(keys) || !isWhole;
  // What somebody else saved is shown at once where nothing would be lost by it.
  if (!isChanged && agent.version > base.version) begin(editOf(agent));

  function begin(from: Edit, edited: AgentDraft = from.settings) {
    setBase(from);
    setDraft(edited);
    setWhole(true);
    setConflict(undefined);
    setGeneration((before) => before + 1);
  }
  const saving = useMutation({
    mutationFn: ({ over, what }: { over: number; what: Settings }) =>
      roost
        .agent(agent.id)
        .update(
          { ...what, ...(isEmpty(keys) ? {} : { provider_keys: keys }), ...(note.trim() && { note: note.trim() }) },
          { ifVersion: over },
        ),
    onSuccess: (saved, { over }) => {
      begin(editOf(saved));
      setKeys({});
      setNote('');
      client.setQueryData(agentQuery(agent.id).queryKey, saved);
      void client.invalidateQueries({ queryKey: agentKey(agent.id) });
      void client.invalidateQueries({ queryKey: agentsKey });
      toast(saved.version === over ? 'It is saved.' : `It is saved as version ${saved.version}.`);
    },
    onError: (error, { over }) => {
      if (error instanceof ConflictError) void look(over);
    },
  });
  const drafting = useDrafting(agent.id);
  const look = (version: number) =>
    conflictWith(agent.id, version).then((found) => {
      client.setQueryData(agentQuery(agent.id).queryKey, found.theirs);
      setConflict(found);
    }, toastError);
  /** What was last tried with the form. */
  const tried = { isPending: saving.isPending || drafting.isPending, error: saving.error ?? drafting.error };
  const errors = errorsByField(tried.error);
  const notDraftable = notInDrafts({ ...change, ...(isEmpty(keys) ? {} : { provider_keys: keys }) });
  const save = (over: number) => {
    drafting.reset();
    saving.mutate({ over, what: change });
  };
  const draftIt = () => {
    saving.reset();
    drafting.mutate({ change, note });
  };
  const isOutdated = isChanged && agent.version > base.version;
  const form = (
    <EditorForm
      saving={tried}
      onSave={() => isWhole && isChanged && save(base.version)}
      isChanged={isChanged}
      what="the configuration"
      className="space-y-5"
    >
      {isOutdated && (
        <p
          role="status"
          className="flex flex-wrap items-center gap-3 rounded-xl bg-warn-soft px-4 py-2 text-sm text-warn"
        >
          <span className="grow">Somebody else has saved version {agent.version} meanwhile.</span>
          <Button onClick={() => void look(base.version)}>Look at it</Button>
        </p>
      )}
      <AgentForm
        path="/v1/agent/update/{id}"
        draft={draft}
        onChange={(next) => {
          setWhole(next !== undefined);
          if (next) setDraft(next);
        }}
        errors={errors}
        keys={keys}
        onKeys={setKeys}
        presentKeys={agent.provider_keys_configured}
        generation={generation}
      />
      <TextField
        label="Note"
        maxLength={500}
        hint="Why, for whoever reads the versions."
        value={note}
        onChange={({ target }) => setNote(target.value)}
        error={errors['note']}
      />
      <EditorActions
        saving={{ ...tried, isPending: saving.isPending }}
        what="the configuration"
        cancel={<CancelLink to="/agents/$agentId/chat" params={{ agentId: agent.id }} />}
        action="Save"
        also={
          <Button
            isBusy={drafting.isPending}
            disabled={isEmpty(change) || !isWhole || notDraftable !== undefined || saving.isPending}
            onClick={draftIt}
          >
            Save as a draft
          </Button>
        }
        disabled={!isChanged || !isWhole || drafting.isPending}
      />
      {notDraftable && <p className="text-right text-xs text-faint">{notDraftable}</p>}
      <ConflictDialog
        conflict={conflict}
        mine={fieldsOf(change)}
        isBusy={saving.isPending}
        onClose={() => setConflict(undefined)}
        onTake={(theirs) => {
          begin(editOf(theirs));
          setKeys({});
        }}
        onOverwrite={(theirs) => {
          const now = editOf(theirs);
          begin(now, withChange(now.settings, change));
          save(now.version);
        }}
      />
    </EditorForm>
  );
  return (
    <div className="max-w-3xl space-y-5">
      {form}
      <ExplainCall agentId={agent.id} permissions={permissionsOf(draft)} />
    </div>
  );
}

const permissionsOf = ({ configuration }: AgentDraft): Api.Permissions | undefined =>
  (configuration as AgentDetails['configuration'] | undefined)?.permissions;

const editOf = (agent: AgentDetails): Edit => ({ version: agent.version, settings: settingsOf(agent) });

/** What there is now in place of a version, and how it differs. */
async function conflictWith(agentId: string, version: number): Promise<Conflict> {
  const theirs = await roost.agent(agentId).get();
  return { from: version, theirs, changes: await roost.agent(agentId).versions.diff(version, theirs.version) };
}
