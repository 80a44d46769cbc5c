import { useEffect, useState } from 'preact/hooks';
import type { Check, Markets } from '../../answers.ts';
import { Card } from '../../parts/card.tsx';
import { Choice, Field } from '../../parts/fields.tsx';
import { Empty, Loaded } from '../../parts/states.tsx';
import { usePosted } from '../../posted.ts';
import { useResource } from '../../resource.ts';
import { placeCell, refine } from '../../route.ts';
import { useCell } from '../../signal.ts';
import { CapsCard } from './caps.tsx';
import { addressOf, type OrderDraft, orderDraftOf, questionOf } from './order-draft.ts';
import { UserCard } from './user.tsx';
import { VerdictView } from './verdict.tsx';

/** May this user send this order, and why; then all that the user may. */
export function OrderTab() {
  const { query } = useCell(placeCell);
  const asked = orderDraftOf(query);
  const { question, faults } = questionOf(asked);
  const [round, setRound] = useState(0);
  const check = usePosted<Check>('/v1/checks', question, { isLive: true });
  return (
    <>
      <OrderForm asked={asked} />
      <Card title="Verdict">
        {faults.map((fault) => (
          <p key={fault} class="notice bad" role="alert">
            {fault}
          </p>
        ))}
        {question === null ? (
          <Empty>
            {asked.user === ''
              ? 'Say who the user is, and what the order is: the check changes nothing, and the user need not be known.'
              : 'Give a market, a notional and a leverage to have an order checked. What the user may in every market is below.'}
          </Empty>
        ) : (
          <Loaded from={check}>{(answer) => <VerdictView check={answer} question={question} />}</Loaded>
        )}
      </Card>
      {asked.user !== '' && (
        <>
          <CapsCard key={`${asked.user} ${round}`} userId={asked.user} accountId={asked.account} />
          <UserCard
            key={asked.user}
            userId={asked.user}
            onChanged={() => {
              setRound(round + 1);
              check.refresh();
            }}
          />
        </>
      )}
    </>
  );
}

/** @param asked what the address asks; typing changes nothing until it is sent. */
function OrderForm({ asked }: { readonly asked: OrderDraft }) {
  const markets = useResource<Markets>('/v1/markets', { on: 'limits' }).data?.markets ?? [];
  const [draft, setDraft] = useState(asked);
  useEffect(() => setDraft(asked), [JSON.stringify(asked)]);
  const change = (part: Partial<OrderDraft>): void => setDraft((before) => ({ ...before, ...part }));
  const send = (event: Event): void => {
    event.preventDefault();
    refine(addressOf(draft));
  };
  const text = (name: 'user' | 'account' | 'symbol' | 'notional' | 'leverage' | 'price') => ({
    name,
    value: draft[name],
    autocomplete: 'off',
    spellcheck: false,
    onInput: (event: { currentTarget: HTMLInputElement }) => change({ [name]: event.currentTarget.value }),
  });
  return (
    <Card title="Order">
      <form class="rows" onSubmit={send}>
        <div class="form">
          <Field label="User">
            <input {...text('user')} required maxLength={64} size={14} />
          </Field>
          <Field label="Market">
            <input {...text('symbol')} list="what-if-markets" size={13} />
          </Field>
          <datalist id="what-if-markets">
            {markets.map(({ symbol, maxLeverage }) => (
              <option key={symbol} value={symbol}>{`up to ${maxLeverage}x`}</option>
            ))}
          </datalist>
          <Choice
            label="Side"
            options={[
              ['long', 'Long'],
              ['short', 'Short'],
            ]}
            value={draft.side}
            onChange={(side) => change({ side })}
          />
          <Field label="Notional (quote)">
            <input {...text('notional')} class="number" inputMode="decimal" size={13} />
          </Field>
          <Field label="Leverage">
            <input {...text('leverage')} class="number" inputMode="decimal" size={6} />
          </Field>
          <button type="submit" class="primary">
            Check
          </button>
        </div>
        <div class="form">
          <Field label="Price, if not the mark">
            <input {...text('price')} class="number" inputMode="decimal" size={11} />
          </Field>
          <Field label="Account, of several">
            <input {...text('account')} maxLength={64} size={14} />
          </Field>
          <label class="check">
            <input
              type="checkbox"
              checked={draft.reduceOnly}
              onChange={(event) => change({ reduceOnly: event.currentTarget.checked })}
            />
            Reduce only
          </label>
        </div>
      </form>
    </Card>
  );
}
