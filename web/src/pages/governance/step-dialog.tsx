import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Acted, Change } from '../../answers.ts';
import { Problem, write } from '../../api.ts';
import { timeText } from '../../format.ts';
import { Facts } from '../../parts/card.tsx';
import { ActionDialog } from '../../parts/dialog.tsx';
import { Field } from '../../parts/fields.tsx';
import { ImpactView } from './impact.tsx';
import { Until } from './until.tsx';
import { ENDING_VERB, effectOf, laterText, scopeOf } from './words.ts';

/** What somebody is about to do with a change that is there. */
export interface Step {
  readonly change: Change;
  readonly what: 'approve' | 'reject' | 'withdraw' | 'end';
}

/** The roles that may; the service has the last word, and says who asked. */
export const MAY_CHANGE = 'Needs a key with the role operator or approver.';

export interface StepDialogProps {
  readonly step: Step;
  readonly impact: ComponentChildren;
  /** The newest that is known here: it moves on while the dialog is open where somebody else does something. */
  readonly revision: number;
  readonly refresh: () => void;
  readonly onDone: (acted: Acted) => void;
  readonly onClose: () => void;
}

/** Approves, rejects, withdraws, thaws or ends, with a reason. */
export function StepDialog({ step, impact, revision, refresh, onDone, onClose }: StepDialogProps) {
  const { change, what } = step;
  const [reason, setReason] = useState('');
  const [seen, setSeen] = useState(revision);
  const verb = verbOf(step);
  const act = async (): Promise<void> => {
    try {
      onDone(await send(step, reason.trim(), seen));
    } catch (thrown) {
      if (isConflict(thrown)) refresh();
      throw thrown;
    }
  };
  return (
    <ActionDialog
      title={`${verb} ${change.id}?`}
      verb={verb}
      isDanger={what === 'reject' || what === 'end'}
      isReady={reason.trim() !== '' && seen === revision}
      act={act}
      onClose={onClose}
    >
      <Facts
        of={[
          ['market', scopeOf(change)],
          ['effect', effectOf(change)],
          ['ends', <Until key="ends" time={change.expiresAt} past="over" />],
        ]}
      />
      <p class="quote">
        Asked for by <strong>{change.requestedBy}</strong> at {timeText(change.requestedAt)} UTC: “
        {change.reason}”
      </p>
      {impact}
      <ReasonField value={reason} onInput={setReason} />
      <p class="note">{consequenceOf(step)}</p>
      {seen !== revision && (
        <div class="notice warn" role="alert">
          <strong>Somebody changed something meanwhile.</strong> What is in force and what waits was read
          again
          {'; look at it before you go on. '}
          <button
            type="button"
            onClick={() => {
              refresh();
              setSeen(revision);
            }}
          >
            Read again
          </button>
        </div>
      )}
    </ActionDialog>
  );
}

export function ReasonField({
  value,
  onInput,
}: {
  readonly value: string;
  readonly onInput: (text: string) => void;
}) {
  return (
    <Field label="Reason, which the audit keeps">
      <input
        required
        maxLength={500}
        value={value}
        autocomplete="off"
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </Field>
  );
}

/** What somebody else did, or did first. */
export function isConflict(thrown: unknown): boolean {
  return thrown instanceof Problem && (thrown.status === 409 || thrown.status === 412);
}

export function verbOf({ change, what }: Step): string {
  if (what === 'end') return ENDING_VERB[change.kind];
  return { approve: 'Approve', reject: 'Reject', withdraw: 'Withdraw' }[what];
}

function consequenceOf({ change, what }: Step): string {
  if (what === 'approve')
    return `It is in force at once. Needs the role approver, with another name and another key than ${change.requestedBy}.`;
  if (what === 'reject') return 'It does not come into force. Needs the role approver.';
  if (what === 'withdraw' || change.kind === 'override')
    return `The next decision goes without it; leverage comes back by the steps of the governor. ${MAY_CHANGE}`;
  if (change.kind === 'freeze')
    return `Limits move again with the next decision, and announced tables go on. ${MAY_CHANGE}`;
  return `Cuts keep to the floor of one decision again. ${MAY_CHANGE}`;
}

function send({ change, what }: Step, reason: string, revision: number): Promise<Acted> {
  const { id, kind, symbol } = change;
  if (what !== 'end' || kind === 'override')
    return write<Acted>(`/v1/approvals/${id}`, {
      method: 'POST',
      body: { decision: what === 'end' ? 'withdraw' : what, reason },
      revision,
    });
  if (kind === 'freeze')
    return write<Acted>('/v1/freeze', { method: 'DELETE', body: { symbol, reason }, revision });
  return write<Acted>('/v1/emergency', { method: 'DELETE', body: { reason }, revision });
}

/** What a change would do, where somebody can say. */
export function ChangeImpact({ of }: { readonly of: Change & { readonly impact?: Acted['impact'] } }) {
  const { impact = null } = of;
  if (impact === null) return null;
  const later = laterText(of, impact);
  return (
    <>
      {later !== null && <p class="note">{later}</p>}
      <ImpactView of={impact} name={of.id} />
    </>
  );
}
