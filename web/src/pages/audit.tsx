import { useState } from 'preact/hooks';
import type { Audit, AuditEntry } from '../answers.ts';
import { read } from '../api.ts';
import { timeText } from '../format.ts';
import { useNewestFirst } from '../newest-first.ts';
import type { PageProps } from '../pages.tsx';
import { Card } from '../parts/card.tsx';
import { Field } from '../parts/fields.tsx';
import { Empty, Loaded, ProblemNotice } from '../parts/states.tsx';
import { type Column, DataTable, DownloadButton } from '../parts/table.tsx';
import { useResource } from '../resource.ts';
import { linkTo, placeCell, refine } from '../route.ts';
import { useCell } from '../signal.ts';
import '../parts/log.css';
import './audit/audit.css';
import { EntryDialog } from './audit/entry-dialog.tsx';
import { VerifyCard } from './audit/verify.tsx';
import { ENTRY_KINDS, type EntryFilter, fits } from './audit/words.ts';

const PAGE = 100;
const OLDER_PAGE = 1000;

/** Everything that was decided and done, by whom and why, and the proof that nothing of it was changed. */
export function AuditPage(_: PageProps) {
  const { query } = useCell(placeCell);
  const entry = query.get('entry');
  const newest = useResource<Audit>(`/v1/audit?limit=${PAGE}&before=${Number.MAX_SAFE_INTEGER}`, {
    on: 'limits',
    everySeconds: 10,
  });
  const after = query.get('after');
  return (
    <>
      <div class="head">
        <h1>Audit</h1>
      </div>
      <Loaded from={newest}>
        {(audit) => (
          <>
            <VerifyCard audit={audit} />
            {after === null ? <Newest newest={audit.entries} /> : <Following after={after} />}
          </>
        )}
      </Loaded>
      {entry !== null && <EntryDialog key={entry} sequence={entry} onClose={() => refine({ entry: null })} />}
    </>
  );
}

function useFilter(): EntryFilter {
  const { query } = useCell(placeCell);
  const [kind, actor, text] = ['kind', 'actor', 'text'].map((name) => query.get(name) ?? '');
  return { kind, actor, text };
}

const STEP = 50;

/** The newest first; a filter is followed back as far as it takes. */
function Newest({ newest }: { readonly newest: readonly AuditEntry[] }) {
  const filter = useFilter();
  const [wanted, setWanted] = useState(STEP);
  const { items, looked, isWhole, problem, retry } = useNewestFirst({
    newest,
    numberOf: ({ sequence }) => sequence,
    before: olderEntries,
    matches: (entry) => fits(entry, filter),
    wanted,
  });
  const isReading = items.length < wanted && !isWhole && problem === null;
  return (
    <Card
      title="Entries, newest first"
      aside={
        <>
          <span class="note" role="status">
            {items.length} shown, {isWhole ? `all ${looked}` : `newest ${looked}`} looked at
            {isReading && ', looking further …'}
          </span>
          <DownloadButton name="audit.csv" columns={COLUMNS} rows={items} />
        </>
      }
      isFlush
    >
      <Filters filter={filter} />
      {problem !== null && (
        <div class="more">
          <ProblemNotice problem={problem} />
          <button type="button" onClick={retry}>
            Try again
          </button>
        </div>
      )}
      <Entries entries={items} isReading={isReading} />
      {!isWhole && !isReading && (
        <p class="more">
          <button type="button" onClick={() => setWanted(wanted + STEP)}>
            Show {STEP} more
          </button>{' '}
          <button type="button" onClick={() => setWanted(wanted + 20 * STEP)}>
            Show {20 * STEP} more
          </button>
        </p>
      )}
    </Card>
  );
}

async function olderEntries(before: number, signal: AbortSignal): Promise<readonly AuditEntry[]> {
  const answer = await read<Audit>(`/v1/audit?limit=${OLDER_PAGE}&before=${before}`, null, signal);
  return answer?.data.entries ?? [];
}

/** Oldest first from an entry on, a page at a time. */
function Following({ after }: { readonly after: string }) {
  const filter = useFilter();
  const found = useResource<Audit>(`/v1/audit?limit=${PAGE}&after=${encodeURIComponent(after)}`);
  return (
    <Loaded from={found}>
      {({ entries, nextAfter }) => {
        const rows = entries.filter((entry) => fits(entry, filter));
        return (
          <Card
            title={`Entries after ${after}, oldest first`}
            aside={<DownloadButton name={`audit-after-${after}.csv`} columns={COLUMNS} rows={rows} />}
            isFlush
          >
            <Filters filter={filter} />
            <Entries entries={rows} isReading={false} />
            <p class="more">
              <button
                type="button"
                disabled={nextAfter === null}
                onClick={() => refine({ after: String(nextAfter) })}
              >
                Next {PAGE}
              </button>
            </p>
          </Card>
        );
      }}
    </Loaded>
  );
}

function Filters({ filter }: { readonly filter: EntryFilter }) {
  const { query } = useCell(placeCell);
  const kinds = filter.kind === '' ? ENTRY_KINDS : [...new Set([...ENTRY_KINDS, filter.kind])];
  return (
    <div class="form filters">
      <Field label="Kind">
        <select value={filter.kind} onChange={(event) => refine({ kind: event.currentTarget.value })}>
          <option value="">any</option>
          {kinds.map((kind) => (
            <option key={kind}>{kind}</option>
          ))}
        </select>
      </Field>
      <Field label="Actor">
        <input
          value={filter.actor}
          autocomplete="off"
          onInput={(event) => refine({ actor: event.currentTarget.value })}
        />
      </Field>
      <Field label="Text">
        <input
          type="search"
          value={filter.text}
          autocomplete="off"
          onInput={(event) => refine({ text: event.currentTarget.value })}
        />
      </Field>
      <Field label="After entry">
        <input
          inputMode="numeric"
          placeholder="newest first"
          value={query.get('after') ?? ''}
          onChange={(event) => refine({ after: event.currentTarget.value.replaceAll(/\D/g, '') })}
        />
      </Field>
    </div>
  );
}

function Entries({
  entries,
  isReading,
}: {
  readonly entries: readonly AuditEntry[];
  readonly isReading: boolean;
}) {
  if (entries.length === 0)
    return <Empty>{isReading ? 'Looking further back …' : 'No entry is like that.'}</Empty>;
  return (
    <div class="wordy">
      <DataTable
        caption="Audit entries"
        columns={COLUMNS}
        rows={entries}
        keyOf={({ sequence }) => String(sequence)}
      />
    </div>
  );
}

function EntryLink({ sequence }: { readonly sequence: number }) {
  const { query } = useCell(placeCell);
  return (
    <a href={linkTo(['audit'], { ...Object.fromEntries(query), entry: String(sequence) })}>{sequence}</a>
  );
}

const COLUMNS: readonly Column<AuditEntry>[] = [
  {
    id: 'sequence',
    head: 'Entry',
    cell: ({ sequence }) => <EntryLink sequence={sequence} />,
    csv: ({ sequence }) => sequence,
    isNumber: true,
  },
  { id: 'at', head: 'Time (UTC)', cell: ({ at }) => timeText(at, true), csv: ({ at }) => at },
  {
    id: 'kind',
    head: 'Kind',
    cell: ({ kind }) => <span class={`badge ${kind === 'refusal' ? 'warn' : ''}`}>{kind}</span>,
    csv: ({ kind }) => kind,
  },
  { id: 'actor', head: 'Actor', cell: ({ actor }) => actor, csv: ({ actor }) => actor },
  { id: 'subject', head: 'About', cell: ({ subject }) => subject, csv: ({ subject }) => subject },
  {
    id: 'reason',
    head: 'Reason',
    cell: ({ reason }) => reason,
    csv: ({ reason }) => reason,
    isWrapped: true,
  },
  {
    id: 'hash',
    head: 'Hash',
    cell: ({ hash }) => <code title={hash}>{hash.slice(0, 12)}…</code>,
    csv: ({ hash }) => hash,
    isMinor: true,
  },
];
