import type { System } from '../answers.ts';
import { timeText } from '../format.ts';
import type { PageProps } from '../pages.tsx';
import { Card } from '../parts/card.tsx';
import { Loaded } from '../parts/states.tsx';
import { useResource } from '../resource.ts';
import { CascadeCard } from './system/cascade.tsx';
import { CrowdingCard } from './system/crowding.tsx';
import { InterventionsCard } from './system/interventions.tsx';
import { LeverageCard } from './system/leverage.tsx';
import { LiquidationsCard } from './system/liquidations.tsx';
import './system/system.css';

/** All accounts as one system. */
export function SystemPage(_: PageProps) {
  // The service makes it anew every ten seconds at most.
  const system = useResource<System>('/v1/system', { on: 'limits', everySeconds: 10 });
  return (
    <>
      <div class="head">
        <h1>System</h1>
        {system.data !== null && system.data.accounts > 0 && (
          <span class="soft">
            {system.data.accounts.toLocaleString('en-US')} accounts at {timeText(system.data.asOf, true)} UTC
          </span>
        )}
      </div>
      <Loaded from={system}>
        {(data) => (data.accounts === 0 ? <NoAccounts /> : <Parts system={data} />)}
      </Loaded>
      <InterventionsCard />
    </>
  );
}

function Parts({ system }: { readonly system: System }) {
  return (
    <>
      {system.unknownAccounts > 0 && (
        <p class="notice warn" role="status">
          {system.unknownAccounts} accounts hold a market without a mark or a table. They are left alone and
          counted nowhere below.
        </p>
      )}
      <LeverageCard system={system} />
      <CrowdingCard system={system} />
      <LiquidationsCard system={system} />
      <CascadeCard symbols={system.markets.map(({ symbol }) => symbol)} />
    </>
  );
}

function NoAccounts() {
  return (
    <Card title="No accounts yet">
      <p>
        Leverage of everybody, crowding, the liquidation map and cascades follow from accounts, and none has
        come in. Send each with <code>PUT /v1/accounts/&#123;id&#125;</code>, or many at once with{' '}
        <code>POST /v1/accounts/batch</code>, an account a line:
      </p>
      <pre class="example">
        {
          '{"accountId":"a1","userId":"u1","marginMode":"cross","equity":"1000.5",\n "positions":[{"symbol":"BTCUSDT","side":"long","quantity":"0.5","entryPrice":"29000"}]}'
        }
      </pre>
      <p class="note">
        The key needs the scope <code>accounts:write</code>.
      </p>
      <a href="/docs">The routes in full</a>
    </Card>
  );
}
