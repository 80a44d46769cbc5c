import type { Change, Changes } from '../../answers.ts';
import { timeText } from '../../format.ts';
import { Facts } from '../../parts/card.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Loaded } from '../../parts/states.tsx';
import { useResource } from '../../resource.ts';
import { linkTo } from '../../route.ts';
import { MarketLink } from './in-force.tsx';
import { ChangeImpact, type Step, verbOf } from './step-dialog.tsx';
import { Until } from './until.tsx';
import { effectOf, statusText, statusTone } from './words.ts';

/** One change from the request to its end, as a link to it shows it. */
export function ChangeDialog({
  id,
  changes,
  onStep,
  onClose,
}: {
  readonly id: string;
  readonly changes: Changes;
  readonly onStep: (step: Step) => void;
  readonly onClose: () => void;
}) {
  const number = Number(/^[a-z]{1,20}-(\d{1,12})$/.exec(id)?.[1] ?? 0);
  const known = changes.pending.find((change) => change.id === id);
  const found = useResource<Changes>(
    number > 0 && known === undefined ? `/v1/changes?limit=1&before=${number + 1}` : null,
    { everySeconds: 10 },
  );
  return (
    <Dialog title={id} onClose={onClose}>
      {known !== undefined ? (
        <Details change={known} onStep={onStep} />
      ) : number > 0 ? (
        <Loaded from={found}>
          {({ changes: [change] }) =>
            change?.id === id ? <Details change={change} onStep={onStep} /> : <Unknown id={id} />
          }
        </Loaded>
      ) : (
        <Unknown id={id} />
      )}
      <div class="ends">
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}

function Unknown({ id }: { readonly id: string }) {
  return (
    <p class="notice warn" role="alert">
      There is no change {id}.
    </p>
  );
}

function Details({ change, onStep }: { readonly change: Change; readonly onStep: (step: Step) => void }) {
  const isOpen = change.status === 'pending' || change.status === 'inForce';
  const steps: readonly Step['what'][] =
    change.status === 'pending' ? ['approve', 'reject', 'withdraw'] : isOpen ? ['end'] : [];
  return (
    <>
      <Facts
        of={[
          [
            'status',
            <span key="status" class={`badge ${statusTone(change.status)}`}>
              {statusText(change.status)}
            </span>,
          ],
          ['market', <MarketLink key="market" symbol={change.symbol} />],
          ['effect', effectOf(change)],
          isOpen ? ['ends', <Until key="ends" time={change.expiresAt} past="over" />] : null,
        ]}
      />
      <ol class="story">
        <Event at={change.requestedAt} what="asked for" by={change.requestedBy} reason={change.reason} />
        {change.approvedAt !== null && (
          <Event
            at={change.approvedAt}
            what="approved"
            by={change.approvedBy}
            reason={change.approvalReason}
          />
        )}
        {change.closedAt !== null ? (
          <Event
            at={change.closedAt}
            what={statusText(change.status)}
            by={change.closedBy}
            reason={change.closingReason}
          />
        ) : (
          <>
            {change.status === 'pending' && change.approveBefore !== null && (
              <Event at={change.approveBefore} what="lapses without an approval" by={null} reason={null} />
            )}
            {change.status === 'lapsed' && change.approveBefore !== null && (
              <Event at={change.approveBefore} what="lapsed: nobody approved it" by={null} reason={null} />
            )}
            {change.status !== 'lapsed' && (
              <Event
                at={change.expiresAt}
                what={change.status === 'expired' ? 'ended by itself' : 'ends by itself'}
                by={null}
                reason={null}
              />
            )}
          </>
        )}
      </ol>
      {change.status === 'pending' && <ChangeImpact of={change} />}
      <p class="titled">
        {steps.map((what) => (
          <button
            key={what}
            type="button"
            class={what === 'approve' ? 'primary' : ''}
            onClick={() => onStep({ change, what })}
          >
            {verbOf({ change, what })}
          </button>
        ))}
        <a href={linkTo(['audit'], { text: change.id })}>Its audit entries</a>
      </p>
    </>
  );
}

function Event({
  at,
  what,
  by,
  reason,
}: {
  readonly at: string;
  readonly what: string;
  readonly by: string | null;
  readonly reason: string | null;
}) {
  return (
    <li>
      <span class="soft">{timeText(at)} UTC</span> {what}
      {by !== null && (
        <>
          {' '}
          by <strong>{by}</strong>
        </>
      )}
      {reason !== null && <span class="quote">: “{reason}”</span>}
    </li>
  );
}
