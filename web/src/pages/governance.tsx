import { useState } from 'preact/hooks';
import type { Acted, Changes } from '../answers.ts';
import { timeText } from '../format.ts';
import type { PageProps } from '../pages.tsx';
import { Loaded } from '../parts/states.tsx';
import { useResource } from '../resource.ts';
import { placeCell, refine } from '../route.ts';
import { useCell } from '../signal.ts';
import { ChangeDialog } from './governance/change-dialog.tsx';
import '../parts/log.css';
import './governance/governance.css';
import { InForceCard } from './governance/in-force.tsx';
import { LogCard } from './governance/log.tsx';
import { NewDialog } from './governance/new-dialog.tsx';
import { ChangeImpact, type Step, StepDialog } from './governance/step-dialog.tsx';
import { AnnouncedCard, WaitingCard } from './governance/waiting.tsx';
import { KINDS, outcomeText } from './governance/words.ts';

const EVERY_SECONDS = 10;

/** What people decide about limits: what is in force by hand, what waits, what was decided, and how to ask for more. */
export function GovernancePage(_: PageProps) {
  const found = useResource<Changes>('/v1/changes?limit=100', {
    on: 'governance',
    everySeconds: EVERY_SECONDS,
  });
  const [told, setTold] = useState<string | null>(null);
  const done = ({ change }: Acted): void => {
    setTold(outcomeText(change, timeText));
    found.refresh();
  };
  return (
    <>
      <div class="head">
        <h1>Governance</h1>
        <span class="spring" />
        <button type="button" onClick={() => refine({ new: 'emergency' })}>
          Declare an emergency
        </button>
        <button type="button" onClick={() => refine({ new: 'freeze' })}>
          Freeze
        </button>
        <button type="button" class="primary" onClick={() => refine({ new: 'override' })}>
          New override
        </button>
      </div>
      <div role="status">{told !== null && <p class="notice good">{told}</p>}</div>
      <Loaded from={found}>
        {(changes) => <Desk changes={changes} refresh={found.refresh} onDone={done} />}
      </Loaded>
    </>
  );
}

function Desk({
  changes,
  refresh,
  onDone,
}: {
  readonly changes: Changes;
  readonly refresh: () => void;
  readonly onDone: (acted: Acted) => void;
}) {
  const { query } = useCell(placeCell);
  const [step, setStep] = useState<Step | null>(null);
  const kind = KINDS.find((name) => name === query.get('new'));
  const id = query.get('change');
  const begin = (next: Step): void => {
    refine({ change: null });
    setStep(next);
  };
  const emergency = changes.inForce.find((change) => change.kind === 'emergency');
  return (
    <>
      {emergency !== undefined && (
        <p class="notice bad" role="alert">
          <strong>Emergency since {timeText(emergency.requestedAt)} UTC</strong>, declared by{' '}
          {emergency.requestedBy}: “{emergency.reason}”. Limits may be cut below the floor of one decision.
        </p>
      )}
      <InForceCard changes={changes.inForce} onStep={begin} />
      <WaitingCard pending={changes.pending} onStep={begin} />
      <AnnouncedCard announced={changes.announced} />
      <LogCard changes={changes} />
      {kind !== undefined && (
        <NewDialog
          key={kind}
          kind={kind}
          symbol={query.get('symbol') ?? ''}
          changes={changes}
          refresh={refresh}
          onDone={onDone}
          onClose={() => refine({ new: null, symbol: null })}
        />
      )}
      {id !== null && kind === undefined && (
        <ChangeDialog
          key={id}
          id={id}
          changes={changes}
          onStep={begin}
          onClose={() => refine({ change: null })}
        />
      )}
      {step !== null && (
        <StepDialog
          key={`${step.what} ${step.change.id}`}
          step={step}
          impact={
            <ChangeImpact
              of={changes.pending.find((change) => change.id === step.change.id) ?? step.change}
            />
          }
          revision={changes.revision}
          refresh={refresh}
          onDone={onDone}
          onClose={() => setStep(null)}
        />
      )}
    </>
  );
}
