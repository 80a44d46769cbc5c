import type { PageProps } from '../pages.tsx';
import { Choice } from '../parts/fields.tsx';
import { placeCell, refine } from '../route.ts';
import { useCell } from '../signal.ts';
import { OrderTab } from './what-if/order.tsx';
import { SimulatorTab } from './what-if/simulator.tsx';
import './what-if/what-if.css';

const TABS = [
  ['order', 'Order of a user'],
  ['margin', 'Margin of an account'],
] as const;

/** What would be: an order that nobody has sent, an account that nobody has. Nothing here changes anything but the user's policy. */
export function WhatIfPage(_: PageProps) {
  const { query } = useCell(placeCell);
  const tab = query.get('tab') === 'margin' ? 'margin' : 'order';
  return (
    <>
      <div class="head">
        <h1>What if</h1>
        <Choice
          label="What is asked"
          options={TABS}
          value={tab}
          onChange={(chosen) => refine({ tab: chosen === 'order' ? null : chosen })}
        />
      </div>
      {tab === 'order' ? <OrderTab /> : <SimulatorTab />}
    </>
  );
}
