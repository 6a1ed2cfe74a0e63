import type { AuditRecord } from '@roost-ai/sdk';
import { getRouteApi, Link } from '@tanstack/react-router';
import { roost } from '../api/roost.js';
import { CopyButton } from '../components/code.js';
import { Empty, ErrorNote, Skeletons } from '../components/feedback.js';
import { Page } from '../components/page.js';
import { ShowMore } from '../components/show-more.js';
import { Time } from '../components/time.js';
import { useListing } from '../components/use-listing.js';
import { visibleText } from '../components/visible-text.js';
import { NamedId } from '../names/named-id.js';
import { type NameOf, useNames } from '../names/use-names.js';
import { AuditFilters } from './audit-filters.js';
import { queryOf } from './audit-filter.js';

const route = getRouteApi('/app/audit');
/** As high as a finger needs. */
const LINK = 'inline-flex min-h-6.5 items-center hover:underline';

/** Who did what to which thing, the newest first. */
export function AuditPage() {
  const filter = route.useSearch();
  const navigate = route.useNavigate();
  const records = useListing({
    key: ['audit', filter],
    list: (signal) => roost.account.audit(queryOf(filter), { signal }),
  });
  const { items, error, reload } = records;
  const nameOf = useNames();
  const isFiltered = Object.keys(filter).length > 0;
  return (
    <Page
      title="Audit"
      about="Every change of what is yours, and every sign-in: who did what to which thing. Records name fields, never values, and cannot be changed."
    >
      <AuditFilters filter={filter} onChange={(search) => void navigate({ search, replace: true })} />
      {error !== null && !items && <ErrorNote error={error} title="The audit cannot be read" onRetry={reload} />}
      {!items && !error && <Skeletons count={8} className="h-[4.5rem]" />}
      {items && items.length > 0 && (
        <ul aria-label="Records" className="divide-y divide-line rounded-2xl border border-line bg-surface">
          {items.map((record) => (
            <RecordRow key={record.id} record={record} nameOf={nameOf} />
          ))}
        </ul>
      )}
      <ShowMore list={records} />
      {items?.length === 0 &&
        (isFiltered ? (
          <p className="py-10 text-center text-soft">
            No record is like that.{' '}
            <Link to="." search={{}} className="text-accent underline">
              Show all
            </Link>
          </p>
        ) : (
          <NoRecords />
        ))}
    </Page>
  );
}

const NoRecords = () => (
  <Empty
    icon="shield"
    title="Nothing was changed yet"
    code={`for await (const record of roost.account.audit({ action: 'agent.deleted' }))\n  console.log(record.at, record.actor.id, record.target.id);`}
    cli="roost audit --action agent.deleted"
  >
    What people, keys, agents and the operator change is written here as it happens.
  </Empty>
);

/** `agent:ID`, which stands beside the names of fields, by the name. */
function withName(field: string, nameOf: NameOf): string {
  const name = field.startsWith('agent:') && nameOf(field.slice('agent:'.length));
  return name ? `agent:${name}` : field;
}

function RecordRow({ record, nameOf }: { record: AuditRecord; nameOf: NameOf }) {
  const { at, actor, action, target, fields, request_id: request } = record;
  return (
    <li className="grid grid-cols-[minmax(0,1fr)] gap-x-6 gap-y-1 px-5 py-3 sm:grid-cols-[minmax(0,1fr)_auto]">
      <div className="min-w-0 text-sm">
        <p className="flex flex-wrap items-baseline gap-x-2">
          <Link to="." search={(search) => ({ ...search, action })} className={`${LINK} font-medium`}>
            {action}
          </Link>
          {fields.length > 0 && (
            <span className="text-soft wrap-anywhere">
              {visibleText(fields.map((field) => withName(field, nameOf)).join(', '))}
            </span>
          )}
        </p>
        <p className="text-soft wrap-anywhere">
          {target.type.replaceAll('_', ' ')}{' '}
          <Link to="." search={(search) => ({ ...search, target: target.id })} className={LINK}>
            <NamedId id={target.id} nameOf={nameOf} />
          </Link>{' '}
          by {actor.type.replace('_', ' ')}{' '}
          <Link to="." search={(search) => ({ ...search, actor: `${actor.type}:${actor.id}` })} className={LINK}>
            <NamedId id={actor.id} nameOf={nameOf} />
          </Link>
        </p>
      </div>
      <div className="flex min-w-0 items-center gap-x-2 text-sm text-soft sm:flex-col sm:items-end">
        <Time at={at} />
        {request !== null && (
          <span className="flex min-w-0 items-center text-xs text-faint">
            <code className="truncate font-mono">{visibleText(request)}</code>
            <CopyButton text={request} label="Copy the request’s id" />
          </span>
        )}
      </div>
    </li>
  );
}
