import { type Dashboard, lines, number } from './panels.ts';

const OF_SYMBOL = '{{symbol}}';

export const LIMITS: Dashboard = {
  uid: 'plimsoll-limits',
  title: 'limits and their drift',
  rows: [
    {
      title: 'Freshness',
      panels: [
        number('Markets', 'none', 'Markets in the book in force.', 'plimsoll_limits_markets'),
        number(
          'Published',
          'dateTimeFromNow',
          'When the book in force was decided. A new one follows each bar of an hour.',
          'plimsoll_limits_last_published_timestamp_seconds * 1000',
        ),
        number(
          'Validity left',
          's',
          'Until the limits expire. Below two hours decisions have been missed for long.',
          'plimsoll_limits_valid_until_timestamp_seconds - time()',
        ),
        number(
          'Degraded',
          'none',
          '1 while limits in force are degraded or expired, or none are.',
          'plimsoll_limits_degraded',
          { bounds: { critical: 1 } },
        ),
        number(
          'In force by people',
          'none',
          'Freezes, overrides and an emergency.',
          'sum(plimsoll_governance_in_force{kind!="pending"})',
          {
            bounds: { warning: 1, critical: 100 },
          },
        ),
        number(
          'Waiting for approval',
          'none',
          'Overrides that wait for a second person.',
          'plimsoll_governance_in_force{kind="pending"}',
          {
            bounds: { warning: 1, critical: 100 },
          },
        ),
        lines(
          'Age of data',
          's',
          'Time since the newest bar of a source closed; prices: since the newest mark price that counts.',
          [{ expr: 'time() - plimsoll_data_last_observation_timestamp_seconds', legend: '{{source}}' }],
          { bounds: { critical: 8100 } },
        ),
        lines(
          'Rejected data',
          'none',
          'Markets whose data were rejected, and prices without effect, in an hour.',
          [
            {
              expr: 'sum by (source, reason) (increase(plimsoll_data_rejected_total[1h])) > 0',
              legend: '{{source}} {{reason}}',
            },
          ],
        ),
      ],
    },
    {
      title: 'Limits',
      panels: [
        lines('Top leverage', 'x', 'Of the markets on the watch list.', [
          { expr: 'plimsoll_limit_leverage_ratio', legend: OF_SYMBOL },
        ]),
        lines(
          'Markets by binding bound',
          'none',
          'What holds limits down. A move of many markets at once has one cause.',
          [{ expr: 'plimsoll_binding_bound_markets > 0', legend: '{{bound}}' }],
        ),
        lines(
          'Against a day ago',
          'none',
          '1 is no change. Alerts are below 0.5 and above 1.5.',
          [{ expr: 'plimsoll_limit_drift_ratio{against="day"}', legend: OF_SYMBOL }],
          { bounds: { critical: 1.5 } },
        ),
        lines(
          'Against the baseline',
          'none',
          'The first book since the start of the service. Alerts are below 0.33 and above 2.',
          [{ expr: 'plimsoll_limit_drift_ratio{against="baseline"}', legend: OF_SYMBOL }],
          { bounds: { critical: 2 } },
        ),
        lines(
          'Markets that moved by a tenth or more',
          'percentunit',
          'Share of the decisions of an hour, all markets. A quarter raises an alert.',
          [
            {
              expr: 'sum(increase(plimsoll_limit_change_ratio_bucket{le="0.9"}[1h])) / sum(increase(plimsoll_limit_change_ratio_count[1h]))',
              legend: 'cut',
            },
            {
              expr: '1 - sum(increase(plimsoll_limit_change_ratio_bucket{le="1.1"}[1h])) / sum(increase(plimsoll_limit_change_ratio_count[1h]))',
              legend: 'loosened',
            },
          ],
          { bounds: { critical: 0.25 } },
        ),
        lines('Moves', 'none', 'Decisions of markets in an hour, by direction.', [
          { expr: 'sum by (direction) (increase(plimsoll_limit_moves_total[1h]))', legend: '{{direction}}' },
        ]),
      ],
    },
    {
      title: 'Decisions',
      panels: [
        number(
          'Chains verified',
          'dateTimeFromNow',
          'When books and audit entries were last found to hold: at the start and daily. In 1970 where not since the start.',
          'plimsoll_audit_verified_timestamp_seconds * 1000',
        ),
        number(
          'Verifications that failed',
          'none',
          'Since the start. Anything but 0 wakes somebody.',
          'plimsoll_audit_verification_failures_total',
          { bounds: { critical: 1 } },
        ),
        lines('Decisions', 'none', 'Cycles in an hour, by outcome.', [
          { expr: 'sum by (outcome) (increase(plimsoll_decisions_total[1h]))', legend: '{{outcome}}' },
        ]),
        lines('Time of a proposal', 's', 'In the decision worker, beside requests.', [
          { expr: 'plimsoll_decision_duration_seconds', legend: '{{instance}}' },
        ]),
        lines('What people did', 'none', 'In a day: steps, and what the rules refused.', [
          { expr: 'sum by (act) (increase(plimsoll_governance_steps_total[1d])) > 0', legend: '{{act}}' },
          {
            expr: 'sum by (act) (increase(plimsoll_governance_refusals_total[1d])) > 0',
            legend: 'refused: {{act}}',
          },
        ]),
        lines('Audit entries', 'none', 'Added to the chain in an hour. It only grows.', [
          { expr: 'increase(plimsoll_audit_entries_total[1h])', legend: '{{instance}}' },
        ]),
      ],
    },
  ],
};
