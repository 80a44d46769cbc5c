import type { Change } from '../../answers.ts';
import { timeText } from '../../format.ts';
import { Card } from '../../parts/card.tsx';
import { Empty } from '../../parts/states.tsx';
import { type Column, DataTable, DownloadButton } from '../../parts/table.tsx';
import { linkTo, placeCell } from '../../route.ts';
import { useCell } from '../../signal.ts';
import type { Step } from './step-dialog.tsx';
import { Until } from './until.tsx';
import { ENDING_VERB, effectOf, scopeOf } from './words.ts';

/** Emergencies concern everybody, then what stands still, then single caps. */
const ORDER: readonly Change['kind'][] = ['emergency', 'freeze', 'override'];

/** What people hold limits to now. */
export function InForceCard({
  changes,
  onStep,
}: {
  readonly changes: readonly Change[];
  readonly onStep: (step: Step) => void;
}) {
  const rows = changes.toSorted((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
  const columns: readonly Column<Change>[] = [
    ...COLUMNS,
    {
      id: 'end',
      head: '',
      cell: (change) => (
        <button
          type="button"
          aria-label={`${ENDING_VERB[change.kind]} ${change.id}`}
          onClick={() => onStep({ change, what: 'end' })}
        >
          {ENDING_VERB[change.kind]}
        </button>
      ),
    },
  ];
  return (
    <Card
      title={`In force now (${rows.length})`}
      aside={<DownloadButton name="in-force.csv" columns={columns} rows={rows} />}
      isFlush
    >
      {rows.length === 0 ? (
        <Empty>Nothing by hand: every limit is what the policy decides.</Empty>
      ) : (
        <DataTable caption="Changes that are in force" columns={columns} rows={rows} keyOf={({ id }) => id} />
      )}
    </Card>
  );
}

/** Filters of the page stay. */
export function ChangeLink({ id }: { readonly id: string }) {
  const { query } = useCell(placeCell);
  return <a href={linkTo(['governance'], { ...Object.fromEntries(query), change: id })}>{id}</a>;
}

export function MarketLink({ symbol }: { readonly symbol: string | null }) {
  return symbol === null ? <>all markets</> : <a href={linkTo(['markets', symbol])}>{symbol}</a>;
}

const COLUMNS: readonly Column<Change>[] = [
  { id: 'id', head: 'Change', cell: ({ id }) => <ChangeLink id={id} />, csv: ({ id }) => id },
  { id: 'market', head: 'Market', cell: ({ symbol }) => <MarketLink symbol={symbol} />, csv: scopeOf },
  {
    id: 'effect',
    head: 'Effect',
    cell: (change) =>
      change.kind === 'emergency' ? <span class="badge bad">{effectOf(change)}</span> : effectOf(change),
    csv: effectOf,
  },
  {
    id: 'expiresAt',
    head: 'Ends',
    cell: ({ expiresAt }) => <Until time={expiresAt} past="over" />,
    csv: ({ expiresAt }) => expiresAt,
    isNumber: true,
  },
  {
    id: 'by',
    head: 'By',
    cell: ({ requestedBy, approvedBy }) =>
      approvedBy === null ? requestedBy : `${requestedBy}, approved by ${approvedBy}`,
    csv: ({ requestedBy, approvedBy }) =>
      approvedBy === null ? requestedBy : `${requestedBy}, ${approvedBy}`,
    isMinor: true,
  },
  {
    id: 'requestedAt',
    head: 'Since',
    cell: ({ requestedAt, approvedAt }) => timeText(approvedAt ?? requestedAt),
    csv: ({ requestedAt, approvedAt }) => approvedAt ?? requestedAt,
    isMinor: true,
  },
  {
    id: 'reason',
    head: 'Reason',
    cell: ({ reason }) => reason,
    csv: ({ reason }) => reason,
    isWrapped: true,
  },
];
