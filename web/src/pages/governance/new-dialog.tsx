import { useState } from 'preact/hooks';
import type { Acted, Changes, Markets } from '../../answers.ts';
import { write } from '../../api.ts';
import { leverageText, timeText } from '../../format.ts';
import { ActionDialog } from '../../parts/dialog.tsx';
import { Choice, Field } from '../../parts/fields.tsx';
import { useResource } from '../../resource.ts';
import { type Draft, draftBody, FIRST_DRAFT, isComplete } from './draft.ts';
import { ChangeImpact, isConflict, MAY_CHANGE, ReasonField } from './step-dialog.tsx';
import { type ChangeKind, effectOf, scopeOf } from './words.ts';

export interface NewDialogProps {
  readonly kind: ChangeKind;
  readonly symbol: string;
  readonly changes: Changes;
  readonly refresh: () => void;
  readonly onDone: (acted: Acted) => void;
  readonly onClose: () => void;
}

const TITLES: Readonly<Record<ChangeKind, string>> = {
  override: 'New override',
  freeze: 'Freeze limits',
  emergency: 'Declare an emergency',
};
const VERBS: Readonly<Record<ChangeKind, string>> = {
  override: 'Send the override',
  freeze: 'Freeze',
  emergency: 'Declare it',
};
const PATHS: Readonly<Record<ChangeKind, string>> = {
  override: '/v1/overrides',
  freeze: '/v1/freeze',
  emergency: '/v1/emergency',
};

/** Asks for something new: first what it would do is shown, then the same is sent. */
export function NewDialog({ kind, symbol, changes, refresh, onDone, onClose }: NewDialogProps) {
  const { data: markets } = useResource<Markets>('/v1/markets', { on: 'limits' });
  const [draft, setDraft] = useState<Draft>({ ...FIRST_DRAFT, symbol, scope: symbol === '' ? 'all' : 'one' });
  const [preview, setPreview] = useState<{ readonly of: string; readonly acted: Acted } | null>(null);
  const change = (part: Partial<Draft>): void => setDraft({ ...draft, ...part });
  const body = draftBody(kind, draft);
  const shown = preview?.of === JSON.stringify(body) ? preview.acted : null;
  const act = async (): Promise<unknown> => {
    if (shown === null) {
      const acted = await write<Acted>(PATHS[kind], { method: 'POST', body: { ...body, preview: true } });
      setPreview({ of: JSON.stringify(body), acted });
      return 'stay';
    }
    try {
      onDone(await write<Acted>(PATHS[kind], { method: 'POST', body, revision: shown.revision }));
      return null;
    } catch (thrown) {
      // Somebody was quicker: what it would do has to be looked at again.
      if (isConflict(thrown)) {
        setPreview(null);
        refresh();
      }
      throw thrown;
    }
  };
  return (
    <ActionDialog
      title={TITLES[kind]}
      verb={
        shown === null ? (preview === null ? 'Show what it does' : 'Read again what it does') : VERBS[kind]
      }
      isDanger={shown !== null && kind !== 'override'}
      isReady={isComplete(kind, draft)}
      act={act}
      onClose={onClose}
    >
      {kind === 'freeze' && (
        <Choice
          label="What is frozen"
          options={[
            ['all', 'All markets'],
            ['one', 'One market'],
          ]}
          value={draft.scope}
          onChange={(scope) => change({ scope })}
        />
      )}
      {(kind === 'override' || (kind === 'freeze' && draft.scope === 'one')) && (
        <MarketField
          markets={markets}
          symbol={draft.symbol}
          onInput={(text) => change({ symbol: text.toUpperCase().trim() })}
        />
      )}
      {kind === 'override' && (
        <div class="form">
          <Field label="Highest leverage">
            <input
              type="number"
              inputMode="decimal"
              min={1}
              step="any"
              required
              value={draft.maxLeverage}
              onInput={(event) => change({ maxLeverage: event.currentTarget.value })}
            />
          </Field>
          <Field label="How it counts">
            <select
              value={draft.loosens}
              onChange={(event) => change({ loosens: event.currentTarget.value as Draft['loosens'] })}
            >
              <option value="auto">by what is in force</option>
              <option value="no">as one bound more: only tightens</option>
              <option value="yes">in the place of the bounds: needs two people</option>
            </select>
          </Field>
        </div>
      )}
      <EndFields draft={draft} change={change} />
      <ReasonField value={draft.reason} onInput={(reason) => change({ reason })} />
      {shown === null ? (
        <p class="note">
          {ABOUT[kind]} {MAY_CHANGE}
        </p>
      ) : (
        <Preview acted={shown} changes={changes} markets={markets} />
      )}
    </ActionDialog>
  );
}

const ABOUT: Readonly<Record<ChangeKind, string>> = {
  override:
    'Below what is in force it caps the market at once. Above, it waits until another person approves it. Nothing is sent before you have seen what it does.',
  freeze:
    'No limit moves in either direction, in an emergency too, and announced tables wait. Nothing is sent before you have seen what it does.',
  emergency:
    'Decisions may cut below the floor of one decision, with the shorter notice of an emergency. Nothing is sent before you have seen what it does.',
};

function MarketField({
  markets,
  symbol,
  onInput,
}: {
  readonly markets: Markets | null;
  readonly symbol: string;
  readonly onInput: (text: string) => void;
}) {
  const market = markets?.markets.find((one) => one.symbol === symbol);
  return (
    <div class="form">
      <Field label="Market">
        <input
          list="governance-markets"
          required
          autocomplete="off"
          spellcheck={false}
          value={symbol}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      </Field>
      <datalist id="governance-markets">
        {markets?.markets.map((one) => (
          <option key={one.symbol} value={one.symbol} />
        ))}
      </datalist>
      {market !== undefined && (
        <span class="soft">
          in force: <strong>{leverageText(market.maxLeverage)}</strong>
        </span>
      )}
    </div>
  );
}

function EndFields({
  draft,
  change,
}: {
  readonly draft: Draft;
  readonly change: (part: Partial<Draft>) => void;
}) {
  return (
    <div class="form">
      <Choice
        label="How its end is given"
        options={[
          ['hours', 'For hours'],
          ['time', 'Until a time'],
        ]}
        value={draft.ending}
        onChange={(ending) => change({ ending })}
      />
      {draft.ending === 'hours' ? (
        <Field label="Hours">
          <input
            type="number"
            inputMode="decimal"
            min={0}
            step="any"
            required
            value={draft.hours}
            onInput={(event) => change({ hours: event.currentTarget.value })}
          />
        </Field>
      ) : (
        <Field label="Until (UTC)">
          <input
            type="datetime-local"
            required
            value={draft.until}
            onInput={(event) => change({ until: event.currentTarget.value })}
          />
        </Field>
      )}
    </div>
  );
}

/** What the service says that it would do. */
function Preview({
  acted,
  changes,
  markets,
}: {
  readonly acted: Acted;
  readonly changes: Changes;
  readonly markets: Markets | null;
}) {
  const { change, ended, needs, impact } = acted;
  return (
    <div class="preview" role="status">
      <p>
        <strong>
          {scopeOf(change)}: {effectOf(change)}
        </strong>
        , until {timeText(change.expiresAt)} UTC.
        {ended.map(({ id }) => ` It takes the place of ${id}.`)}
      </p>
      {needs === null ? (
        <p class="notice plain">It is in force at once; no second person is needed.</p>
      ) : (
        <p class="notice warn">
          <strong>A second person is needed.</strong> {needs}
        </p>
      )}
      {change.kind === 'freeze' && <FrozenNote symbol={change.symbol} changes={changes} />}
      {change.kind === 'emergency' && <HeldNote markets={markets} />}
      <ChangeImpact of={{ ...change, impact }} />
    </div>
  );
}

/** What a freeze keeps from coming into force. */
function FrozenNote({ symbol, changes }: { readonly symbol: string | null; readonly changes: Changes }) {
  const waiting = changes.announced.filter((table) => symbol === null || table.symbol === symbol);
  return (
    <p>
      {waiting.length === 0
        ? 'No announced table waits for it.'
        : `${waiting.length} announced ${waiting.length === 1 ? 'table waits' : 'tables wait'} until it is over.`}
    </p>
  );
}

/** What an emergency lets go on at once. */
function HeldNote({ markets }: { readonly markets: Markets | null }) {
  if (markets === null) return null;
  const held = markets.markets.filter(({ reasons }) => reasons.includes('GOVERNOR_PACED'));
  return (
    <p>
      {held.length === 0
        ? 'The floor of one decision holds no market back now, so nothing is cut further at once.'
        : `Held back by the floor of one decision now, and free to be cut further: ${held.map(({ symbol }) => symbol).join(', ')}.`}
    </p>
  );
}
