import { type Dashboard, lines, number } from './panels.ts';

export const ACCOUNTS: Dashboard = {
  uid: 'plimsoll-accounts',
  title: 'accounts and system',
  rows: [
    {
      title: 'Accounts',
      panels: [
        number('Accounts', 'none', 'All that are known.', 'sum(plimsoll_accounts)'),
        number(
          'To be liquidated',
          'none',
          'At or beyond liquidation.',
          'sum(plimsoll_accounts{status=~"liquidation|backstop"})',
          {
            bounds: { warning: 1, critical: 100 },
          },
        ),
        number(
          'Leverage of all',
          'x',
          'Marked notional over marked equity.',
          'plimsoll_system_leverage_ratio',
        ),
        lines('Accounts that are not healthy', 'none', 'By the worst status of what they hold.', [
          { expr: 'plimsoll_accounts{status!="healthy"}', legend: '{{status}}' },
        ]),
        lines('Leverage of all accounts', 'x', 'As the last decision saw it.', [
          { expr: 'plimsoll_system_leverage_ratio', legend: '{{instance}}' },
        ]),
      ],
    },
    {
      title: 'What they were told',
      panels: [
        lines('Interventions', 'none', 'In a quarter of an hour, by kind.', [
          { expr: 'sum by (kind) (increase(plimsoll_interventions_total[15m]))', legend: '{{kind}}' },
        ]),
        lines(
          'Reductions and liquidations against the day',
          'none',
          '1 is the mean of the day; 5 raises an alert where there are more than 20.',
          [
            {
              expr: 'sum(increase(plimsoll_interventions_total{kind=~"reduction|liquidation|backstop"}[15m])) * 96 / sum(increase(plimsoll_interventions_total{kind=~"reduction|liquidation|backstop"}[1d]))',
              legend: 'against the day',
            },
          ],
          { bounds: { critical: 5 } },
        ),
        lines('Webhooks', 'none', 'Calls in a quarter of an hour. Buried events were given up.', [
          {
            expr: 'sum by (result) (increase(plimsoll_webhook_deliveries_total[15m]))',
            legend: '{{result}}',
          },
        ]),
        lines('Prices without effect', 'none', 'In five minutes, by reason.', [
          {
            expr: 'sum by (reason) (increase(plimsoll_data_rejected_total{source="prices"}[5m])) > 0',
            legend: '{{reason}}',
          },
        ]),
      ],
    },
  ],
};
