import type { System } from '../../answers.ts';
import { leverageText, moneyText, percentText, shortMoneyText } from '../../format.ts';
import { Bar } from '../../parts/bar.tsx';
import { Card, Facts } from '../../parts/card.tsx';
import { shareOf } from './shares.ts';

/** How much everybody owes together, and how much of it at high leverage. */
export function LeverageCard({ system: { leverage } }: { readonly system: System }) {
  const { gross, net, grossNotional, netNotional, equity, negativeEquity, above } = leverage;
  const isNegative = Number(negativeEquity) !== 0;
  return (
    <Card title="Leverage index">
      <div class="split">
        <Facts
          of={[
            ['Gross', leverageText(gross)],
            ['Net', leverageText(net)],
            ['Gross notional', <Money key="gross" of={grossNotional} />],
            ['Net notional', <Money key="net" of={netNotional} />],
            ['Equity', <Money key="equity" of={equity} />],
            [
              'Equity below zero',
              <span key="negative" class={isNegative ? 'down' : ''}>
                <Money of={negativeEquity} />
              </span>,
            ],
          ]}
        />
        <table>
          <caption class="visually-hidden">Notional of what is above a leverage</caption>
          <thead>
            <tr>
              <th scope="col">Above</th>
              <th scope="col" class="number">
                Notional
              </th>
              <th scope="col" class="number">
                Share of all
              </th>
            </tr>
          </thead>
          <tbody>
            {above.map(({ leverage: threshold, notional }) => {
              const share = shareOf(notional, grossNotional);
              return (
                <tr key={threshold}>
                  <th scope="row">{threshold}x</th>
                  <td class="number">{moneyText(notional, 0)}</td>
                  <td class="number">
                    <Bar parts={[{ share, tone: 'accent' }]}>{percentText(share, 1)}</Bar>
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

function Money({ of }: { readonly of: string }) {
  return <span title={moneyText(of)}>{shortMoneyText(of)}</span>;
}
