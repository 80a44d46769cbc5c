import { useState } from 'preact/hooks';
import type { Change, Changes } from '../../answers.ts';
import { read } from '../../api.ts';
import { timeText } from '../../format.ts';
import { useNewestFirst } from '../../newest-first.ts';
import { Card } from '../../parts/card.tsx';
import { Field } from '../../parts/fields.tsx';
import { Empty, ProblemNotice } from '../../parts/states.tsx';
import { type Column, DataTable, DownloadButton } from '../../parts/table.tsx';
import { placeCell, refine } from '../../route.ts';
import { useCell } from '../../signal.ts';
import { ChangeLink, MarketLink } from './in-force.tsx';
import { effectOf, KINDS, STATUSES, scopeOf, statusText, statusTone } from './words.ts';

const STEP = 25;

/** Everything that people changed or asked for, newest first. */
export function LogCard({ changes }: { readonly changes: Changes }) {
  const { query } = useCell(placeCell);
  const [status, kind, market] = ['status', 'kind', 'market'].map((name) => query.get(name) ?? '');
  const [wanted, setWanted] = useState(STEP);
  const { items, looked, isWhole, problem, retry } = useNewestFirst({
    newest: changes.changes,
    numberOf: ({ number }) => number,
    before: olderChanges,
    matches: (change) =>
      (status === '' || change.status === status) &&
      (kind === '' || change.kind === kind) &&
      (market === '' || scopeOf(change).toUpperCase().includes(market.toUpperCase())),
    wanted,
    // Older ones change when somebody does something, and when one that is in force ends by itself.
    epoch: `${changes.revision} ${changes.inForce.length} ${changes.pending.length}`,
  });
  const isFiltered = status !== '' || kind !== '' || market !== '';
  return (
    <Card
      title="Log of changes"
      aside={
        <>
          <span class="note" role="status">
            {items.length} shown, {isWhole ? `all ${looked}` : `newest ${looked}`} looked at
          </span>
          <DownloadButton name="changes.csv" columns={COLUMNS} rows={items} />
        </>
      }
      isFlush
    >
      <div class="form filters">
        <Field label="Status">
          <select value={status} onChange={(event) => refine({ status: event.currentTarget.value })}>
            <option value="">any</option>
            {STATUSES.map((name) => (
              <option key={name} value={name}>
                {statusText(name)}
              </option>
            ))}
          </select>
        </Field>
        <Field label="Kind">
          <select value={kind} onChange={(event) => refine({ kind: event.currentTarget.value })}>
            <option value="">any</option>
            {KINDS.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </Field>
        <Field label="Market">
          <input
            type="search"
            value={market}
            autocomplete="off"
            onInput={(event) => refine({ market: event.currentTarget.value })}
          />
        </Field>
      </div>
      {problem !== null && (
        <>
          <ProblemNotice problem={problem} />
          <button type="button" onClick={retry}>
            Try again
          </button>
        </>
      )}
      {items.length === 0 ? (
        <Empty>{isFiltered ? 'No change is like that.' : 'Nobody has changed anything yet.'}</Empty>
      ) : (
        <div class="wordy">
          <DataTable caption="Log of changes" columns={COLUMNS} rows={items} keyOf={({ id }) => id} />
        </div>
      )}
      {!isWhole && problem === null && items.length >= wanted && (
        <p class="more">
          <button type="button" onClick={() => setWanted(wanted + STEP)}>
            Show {STEP} more
          </button>{' '}
          <button type="button" onClick={() => setWanted(Number.MAX_SAFE_INTEGER)}>
            Show all
          </button>
        </p>
      )}
    </Card>
  );
}

async function olderChanges(before: number, signal: AbortSignal): Promise<readonly Change[]> {
  const answer = await read<Changes>(`/v1/changes?limit=500&before=${before}`, null, signal);
  return answer?.data.changes ?? [];
}

/** Who brought it to where it is, and why. */
function lastStepOf(change: Change): string {
  const { closedBy, closingReason, approvedBy, approvalReason } = change;
  if (closedBy !== null) return `${closedBy}: ${closingReason}`;
  return approvedBy === null ? '' : `${approvedBy}: ${approvalReason}`;
}

const COLUMNS: readonly Column<Change>[] = [
  { id: 'id', head: 'Change', cell: ({ id }) => <ChangeLink id={id} />, csv: ({ id }) => id },
  {
    id: 'status',
    head: 'Status',
    cell: ({ status }) => <span class={`badge ${statusTone(status)}`}>{statusText(status)}</span>,
    csv: ({ status }) => status,
  },
  { id: 'market', head: 'Market', cell: ({ symbol }) => <MarketLink symbol={symbol} />, csv: scopeOf },
  { id: 'effect', head: 'Effect', cell: effectOf, csv: effectOf },
  {
    id: 'requestedAt',
    head: 'Asked for',
    cell: ({ requestedAt }) => timeText(requestedAt),
    csv: ({ requestedAt }) => requestedAt,
  },
  {
    id: 'requestedBy',
    head: 'By',
    cell: ({ requestedBy }) => requestedBy,
    csv: ({ requestedBy }) => requestedBy,
  },
  {
    id: 'expiresAt',
    head: 'Ends',
    cell: ({ expiresAt, closedAt }) => timeText(closedAt ?? expiresAt),
    csv: ({ expiresAt, closedAt }) => closedAt ?? expiresAt,
    isMinor: true,
  },
  {
    id: 'reason',
    head: 'Reason',
    cell: ({ reason }) => reason,
    csv: ({ reason }) => reason,
    isWrapped: true,
  },
  { id: 'lastStep', head: 'Last step', cell: lastStepOf, csv: lastStepOf, isWrapped: true, isMinor: true },
];
