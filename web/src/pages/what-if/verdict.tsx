import type { ComponentChildren } from 'preact';
import type { Check } from '../../answers.ts';
import {
  decimalPriceText,
  leverageText,
  moneyText,
  ppmText,
  reasonText,
  timeText,
  wordsOf,
} from '../../format.ts';
import { Facts } from '../../parts/card.tsx';
import { CAP_NOTES, CAP_REASONS, REDUCE_ONLY_CAUSES } from '../../reasons.ts';
import { type CheckQuestion, verdictOf } from './order-draft.ts';

/** The answer to a check: the verdict, why, and what an order form shows. */
export function VerdictView({
  check,
  question,
}: {
  readonly check: Check;
  readonly question: CheckQuestion;
}) {
  const order = `${question.reduceOnly ? 'reduce-only ' : ''}${question.side} ${moneyText(question.notional)} of ${question.symbol} at ${leverageText(question.leverage)}`;
  return (
    <>
      <Headline check={check} order={order} />
      <Facts
        of={[
          ['Largest leverage, at this notional', leverageText(check.maxLeverage)],
          ['Largest position, at this leverage', moneyText(check.maxNotional)],
          ['Initial margin rate at the cap', ppmText(check.initialMarginRatePpm)],
          ['Account', check.accountId ?? 'none known'],
        ]}
      />
      <Why check={check} />
      <h3>The order</h3>
      <Facts
        of={[
          [
            'Position after it',
            `${Number(check.resultingNotional) === 0 ? '' : `${check.resultingSide} `}${moneyText(check.resultingNotional)}`,
          ],
          ['Initial margin it adds', moneyText(check.initialMargin)],
          [
            'Available balance',
            <>
              {moneyText(check.availableBalance)}{' '}
              {check.isMarginEnough !== null && (
                <span class={`badge ${check.isMarginEnough ? 'good' : 'bad'}`}>
                  {check.isMarginEnough ? 'enough' : 'not enough'}
                </span>
              )}
            </>,
          ],
          ['Maintenance margin after it', moneyText(check.maintenanceMargin)],
          ['Liquidation price after it', decimalPriceText(check.liquidationPrice)],
        ]}
      />
      {check.notes.map((note) => (
        <p key={note} class="note">
          {CAP_NOTES[note]} <code>{note}</code>
        </p>
      ))}
      <p class="note">
        By limits version {check.version}
        {check.degraded && ', which are degraded'}. Nothing was changed.
      </p>
    </>
  );
}

function Headline({ check, order }: { readonly check: Check; readonly order: string }) {
  const verdict = verdictOf(check);
  const saying: Record<typeof verdict, ComponentChildren> = {
    allowed: (
      <>
        <strong>Allowed:</strong> {order}.
        {check.isMarginEnough === false &&
          ' But the available balance is not enough for the initial margin it adds.'}
      </>
    ),
    clamped: (
      <>
        <strong>Clamped:</strong> {order} is too much. Allowed would be {clamps(check)}.
      </>
    ),
    refused: (
      <>
        <strong>Refused:</strong> {order}. No lower leverage and no smaller notional makes it allowed.
      </>
    ),
  };
  const tone = { allowed: check.isMarginEnough === false ? 'warn' : 'good', clamped: 'warn', refused: 'bad' }[
    verdict
  ];
  return (
    <p class={`notice ${tone}`} role="status">
      {saying[verdict]}
    </p>
  );
}

function clamps({ clampedLeverage, clampedNotional }: Check): string {
  const ways = [
    clampedLeverage > 0 ? `the same notional at ${leverageText(clampedLeverage)}` : '',
    Number(clampedNotional) > 0 ? `a notional of ${moneyText(clampedNotional)} at the same leverage` : '',
  ];
  return ways.filter(Boolean).join(', or ');
}

function Why({ check }: { readonly check: Check }) {
  const { bindingReason, nextReason, nextMaxLeverage, reasons, reduceOnly } = check;
  const others = reasons.filter(
    (reason) => reason !== bindingReason && reason !== nextReason && reason !== 'REDUCE_ONLY',
  );
  return (
    <dl class="whys">
      {reduceOnly !== null && (
        <>
          <dt>Only reduce</dt>
          <dd>
            Because {REDUCE_ONLY_CAUSES[reduceOnly.cause]}. {heldText(reduceOnly)}{' '}
            <code>{reduceOnly.cause}</code>
          </dd>
        </>
      )}
      <dt>Binds</dt>
      <dd>
        {CAP_REASONS[bindingReason]} <code>{bindingReason}</code>
      </dd>
      <dt>Without it</dt>
      <dd>
        {nextReason === null ? (
          'Nothing else limits the leverage.'
        ) : (
          <>
            {leverageText(nextMaxLeverage)}. {CAP_REASONS[nextReason]} <code>{nextReason}</code>
          </>
        )}
      </dd>
      {others.length > 0 && (
        <>
          <dt>Also</dt>
          {others.map((reason) => (
            <dd key={reason}>
              {CAP_REASONS[reason]} <code>{reason}</code>
            </dd>
          ))}
        </>
      )}
    </dl>
  );
}

function heldText({
  status,
  side,
  positionNotional,
  allowedNotional,
  capReason,
  reduceBy,
}: NonNullable<Check['reduceOnly']>): string {
  if (Number(positionNotional) === 0) return `Its status is ${wordsOf(status)}.`;
  const limit = capReason === null ? '' : ` (${reasonText(capReason)})`;
  const until = reduceBy === null ? '' : ` It has to fit by ${timeText(reduceBy)} UTC.`;
  return `Its status is ${wordsOf(status)}; it holds ${side} ${moneyText(positionNotional)}, and may hold ${moneyText(allowedNotional)}${limit}.${until}`;
}
