import { type Dashboard, lines, name, number } from './panels.ts';

const OF_SYMBOL = '{{symbol}}';

export const MODEL: Dashboard = {
  uid: 'plimsoll-model',
  title: 'model and coverage',
  rows: [
    {
      title: 'Which model decides',
      panels: [
        name(
          'Model',
          'The shock model in use; nothing where the classical predictors decide.',
          'plimsoll_model_info',
          '{{name}} {{version}}',
        ),
        number(
          'Trained',
          'dateTimeFromNow',
          'When the model in use was trained.',
          'plimsoll_model_trained_timestamp_seconds * 1000',
        ),
        number(
          'Fallback',
          'none',
          '1 while the classical predictors decide.',
          'max(plimsoll_fallback_active)',
          { bounds: { warning: 1, critical: 2 } },
        ),
        number(
          'Last training that succeeded',
          'dateTimeFromNow',
          'In 1970 where none has.',
          'plimsoll_training_last_success_timestamp_seconds * 1000',
        ),
        number(
          'Duration of the last training',
          's',
          'In a process of its own.',
          'plimsoll_training_duration_seconds',
        ),
        lines('Trainings', 'none', 'In a day, by result.', [
          { expr: 'sum by (result) (increase(plimsoll_training_runs_total[1d]))', legend: '{{result}}' },
        ]),
        lines(
          'Shock probability',
          'percentunit',
          'That an excursion eats the initial margin at the cap; the worse side of watched markets.',
          [{ expr: 'plimsoll_shock_probability', legend: OF_SYMBOL }],
        ),
      ],
    },
    {
      title: 'Coverage',
      panels: [
        lines(
          'Exceedances over what is allowed, a day',
          'none',
          '1 is on target; the confidence says how many are allowed.',
          [{ expr: 'plimsoll:exceedances:burn_rate1d', legend: '{{confidence}}' }],
          { bounds: { warning: 1, critical: 14.4 } },
        ),
        lines(
          'Exceedances over what is allowed, a week',
          'none',
          'Above 3 at 99 %, also over a day, is a ticket.',
          [{ expr: 'plimsoll:exceedances:burn_rate7d', legend: '{{confidence}}' }],
          { bounds: { warning: 1, critical: 3 } },
        ),
        lines('p-values', 'none', 'Valid at any time, over all horizons. Small is evidence against VaR.', [
          { expr: 'plimsoll_coverage_p_value', legend: '{{test}} {{confidence}}' },
        ]),
        lines(
          'Evidence against coverage',
          'none',
          'e-values; 100 raises the alarm of a tier.',
          [
            {
              expr: 'topk(8, plimsoll_coverage_e_value)',
              legend: '{{direction}} {{confidence}} {{horizon}} h',
            },
          ],
          { bounds: { warning: 20, critical: 100 } },
        ),
        lines('Alarms of coverage', 'none', 'Those that stand.', [
          { expr: 'plimsoll_coverage_alarm == 1', legend: '{{direction}} {{confidence}} {{horizon}} h' },
        ]),
        lines('Forecasts that came due', 'none', 'In an hour.', [
          {
            expr: 'sum by (horizon) (increase(plimsoll_forecast_observations_total{confidence="0.99"}[1h]))',
            legend: '{{horizon}} h',
          },
        ]),
      ],
    },
    {
      title: 'Drift',
      panels: [
        number(
          'Beyond its bound',
          'none',
          'How much of features, residuals and scores has drifted.',
          'plimsoll_drift_beyond_bound',
          { bounds: { critical: 1 } },
        ),
        lines(
          'Features that drift most',
          'none',
          'Population stability index against the training span; a month is never like years, so compare with what is usual.',
          [{ expr: 'topk(10, plimsoll_feature_drift_psi)', legend: '{{feature}}' }],
          { width: 20 },
        ),
        lines('Residuals', 'none', 'Population stability index of A / VaR at 95 %.', [
          { expr: 'plimsoll_residual_drift_psi', legend: '{{horizon}} h' },
        ]),
        lines('Score', 'none', 'Of the last 30 days over that of the training span; 1 is no change.', [
          { expr: 'plimsoll_score_drift_ratio', legend: '{{horizon}} h' },
        ]),
      ],
    },
    {
      title: 'Challenger in the shadow',
      panels: [
        lines(
          'Scores',
          'none',
          'On the same live forecasts; lower is better.',
          [{ expr: 'plimsoll_shadow_score{score="pinball"}', legend: '{{forecaster}}' }],
          { width: 8 },
        ),
        lines(
          'Exceedances over what is asked for',
          'none',
          '1 is on target.',
          [{ expr: 'plimsoll_shadow_exceedance_ratio', legend: '{{forecaster}}' }],
          { width: 8 },
        ),
        lines(
          'Evidence',
          'none',
          'That the challenger is worse or better; 20 is enough.',
          [{ expr: 'plimsoll_shadow_e_value', legend: '{{direction}}' }],
          { width: 8, bounds: { critical: 20 } },
        ),
        lines('Scored forecasts', 'none', 'With both of them.', [
          { expr: 'plimsoll_shadow_observations', legend: 'forecasts' },
        ]),
        lines(
          'Origins without an answer',
          'none',
          'Of the challenger, by reason: it failed, it was slow, its answer was invalid.',
          [{ expr: 'plimsoll_shadow_failures', legend: '{{reason}}' }],
        ),
      ],
    },
  ],
};
