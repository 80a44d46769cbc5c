import { useState } from 'preact/hooks';
import type { Changes } from '../../answers.ts';
import { timeText } from '../../format.ts';
import { Card } from '../../parts/card.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Empty } from '../../parts/states.tsx';
import { type Column, DataTable, DownloadButton } from '../../parts/table.tsx';
import { ImpactView } from './impact.tsx';
import { ChangeLink, MarketLink } from './in-force.tsx';
import { ChangeImpact, type Step } from './step-dialog.tsx';
import { Until } from './until.tsx';
import { effectOf, impactText } from './words.ts';

/** What waits for a second person, with what it would do. */
export function WaitingCard({
  pending,
  onStep,
}: {
  readonly pending: Changes['pending'];
  readonly onStep: (step: Step) => void;
}) {
  return (
    <Card title={`Waiting for a second person (${pending.length})`} isFlush>
      {pending.length === 0 ? (
        <Empty>Nothing waits for an approval.</Empty>
      ) : (
        pending.map((change) => (
          <article class="waiting" key={change.id}>
            <div class="titled">
              <h3>
                <ChangeLink id={change.id} /> <MarketLink symbol={change.symbol} />
              </h3>
              <strong>{effectOf(change)}</strong>
              <span class="badge warn">
                lapses <Until time={change.approveBefore ?? change.expiresAt} />
              </span>
              <span class="spring" />
              {(['approve', 'reject', 'withdraw'] as const).map((what) => (
                <button
                  key={what}
                  type="button"
                  class={what === 'approve' ? 'primary' : ''}
                  aria-label={`${LABELS[what]} ${change.id}`}
                  onClick={() => onStep({ change, what })}
                >
                  {LABELS[what]}
                </button>
              ))}
            </div>
            <p class="quote">
              Asked for by <strong>{change.requestedBy}</strong> at {timeText(change.requestedAt)} UTC, until{' '}
              {timeText(change.expiresAt)} UTC: “{change.reason}”
            </p>
            <ChangeImpact of={change} />
          </article>
        ))
      )}
    </Card>
  );
}

const LABELS = { approve: 'Approve', reject: 'Reject', withdraw: 'Withdraw' } as const;

type Announced = Changes['announced'][number];

/** Tables that open positions will be held to, soonest first. */
export function AnnouncedCard({ announced }: { readonly announced: readonly Announced[] }) {
  const [open, setOpen] = useState<Announced | null>(null);
  const rows = announced.toSorted((a, b) => a.effectiveAt.localeCompare(b.effectiveAt));
  const columns: readonly Column<Announced>[] = [
    ...COLUMNS,
    {
      id: 'details',
      head: '',
      cell: (table) => (
        <button
          type="button"
          aria-label={`Details of ${table.symbol}, ${timeText(table.effectiveAt)}`}
          onClick={() => setOpen(table)}
        >
          Details
        </button>
      ),
    },
  ];
  return (
    <Card
      title={`Announced maintenance tables (${rows.length})`}
      aside={<DownloadButton name="announced.csv" columns={columns} rows={rows} />}
      isFlush
    >
      {rows.length === 0 ? (
        <Empty>Open positions keep the maintenance margins that they have.</Empty>
      ) : (
        <DataTable
          caption="Maintenance tables that open positions will be held to"
          columns={columns}
          rows={rows}
          keyOf={({ symbol, effectiveAt }) => `${symbol} ${effectiveAt}`}
        />
      )}
      {open !== null && (
        <Dialog
          title={`${open.symbol}, in force at ${timeText(open.effectiveAt)} UTC`}
          onClose={() => setOpen(null)}
        >
          <p class="note">
            Announced at {timeText(open.announcedAt)} UTC. Against the table before it, at today's prices:
          </p>
          <ImpactView of={open.impact} name={`announced-${open.symbol}`} />
          <div class="ends">
            <button type="button" onClick={() => setOpen(null)}>
              Close
            </button>
          </div>
        </Dialog>
      )}
    </Card>
  );
}

const COLUMNS: readonly Column<Announced>[] = [
  {
    id: 'symbol',
    head: 'Market',
    cell: ({ symbol }) => <MarketLink symbol={symbol} />,
    csv: ({ symbol }) => symbol,
  },
  {
    id: 'effectiveAt',
    head: 'In force',
    cell: ({ effectiveAt }) => (
      <>
        {timeText(effectiveAt)}{' '}
        <span class="soft">
          (<Until time={effectiveAt} />)
        </span>
      </>
    ),
    csv: ({ effectiveAt }) => effectiveAt,
  },
  {
    id: 'announcedAt',
    head: 'Announced',
    cell: ({ announcedAt }) => timeText(announcedAt),
    csv: ({ announcedAt }) => announcedAt,
    isMinor: true,
  },
  {
    id: 'impact',
    head: 'Impact',
    cell: ({ impact }) => impactText(impact),
    csv: ({ impact }) => impactText(impact),
    isWrapped: true,
  },
];
