import { type Dashboard, lines, name, number, type Query } from './panels.ts';

const REQUESTS = 'plimsoll_http_request_duration_seconds';
const READS = 'route=~"/v1/limits|/v1/markets|/v1/markets/.symbol./brackets",method="GET"';
const CHECKS = 'route="/v1/checks",method="POST"';

/** Of the requests of a selection, the time within which so many were answered. */
const quantiles = (selection: string): Query[] =>
  [0.5, 0.99, 0.999].map((share) => ({
    expr: `histogram_quantile(${share}, sum by (le) (rate(${REQUESTS}_bucket{${selection}}[5m])))`,
    legend: `${share * 100} %`,
  }));

/** How fast a budget is used up; 1 is what the objective allows. */
const burnRates = (recorded: string, objective: string): Query[] =>
  ['5m', '1h', '6h'].map((window) => ({
    expr: `plimsoll:${recorded}:ratio_rate${window} / (1 - scalar(plimsoll:objective:ratio{objective="${objective}"}))`,
    legend: window,
  }));

const BURN_BOUNDS = { bounds: { warning: 6, critical: 14.4 } };

export const SERVICE: Dashboard = {
  uid: 'plimsoll-service',
  title: 'service',
  rows: [
    {
      title: 'Objectives',
      panels: [
        number('Up', 'none', '1 while Prometheus can read the metrics.', 'min(up{job="plimsoll"})'),
        name('Version', 'The program.', 'plimsoll_build_info', '{{version}}'),
        number(
          'Availability',
          'percentunit',
          'Requests without a 5xx in six hours.',
          '1 - plimsoll:http_errors:ratio_rate6h',
        ),
        number('Reads within 1 ms', 'percentunit', 'In six hours.', '1 - plimsoll:slow_reads:ratio_rate6h'),
        number('Checks within 5 ms', 'percentunit', 'In six hours.', '1 - plimsoll:slow_checks:ratio_rate6h'),
        number(
          'Running since',
          'dateTimeFromNow',
          'The start of the process.',
          'plimsoll_process_start_time_seconds * 1000',
        ),
        lines(
          'Budget of availability',
          'none',
          'How fast it is used up. 14.4 over an hour pages.',
          burnRates('http_errors', 'availability'),
          { ...BURN_BOUNDS, width: 8 },
        ),
        lines(
          'Budget of reads',
          'none',
          'How fast it is used up. 14.4 over an hour pages.',
          burnRates('slow_reads', 'reads'),
          { ...BURN_BOUNDS, width: 8 },
        ),
        lines(
          'Budget of checks',
          'none',
          'How fast it is used up. 14.4 over an hour pages.',
          burnRates('slow_checks', 'checks'),
          { ...BURN_BOUNDS, width: 8 },
        ),
      ],
    },
    {
      title: 'Requests',
      panels: [
        lines('Requests', 'reqps', 'The busiest routes.', [
          {
            expr: `topk(10, sum by (route, method) (rate(${REQUESTS}_count[5m])))`,
            legend: '{{method}} {{route}}',
          },
        ]),
        lines('Answers by code', 'reqps', 'Without probes and scrapes.', [
          {
            expr: `sum by (code) (rate(${REQUESTS}_count{route!~"/livez|/readyz|/metrics"}[5m]))`,
            legend: '{{code}}',
          },
        ]),
        lines('Not let in', 'none', 'Requests in five minutes that were refused for who asked, by reason.', [
          {
            expr: 'sum by (reason) (increase(plimsoll_access_refusals_total[5m])) > 0',
            legend: '{{reason}}',
          },
        ]),
        lines('Reads of limits', 's', 'In the service, from the request to its answer.', quantiles(READS), {
          bounds: { critical: 0.001 },
        }),
        lines('Checks of orders', 's', 'In the service, from the request to its answer.', quantiles(CHECKS), {
          bounds: { critical: 0.005 },
        }),
      ],
    },
    {
      title: 'Process',
      panels: [
        lines('Who decides', 'none', 'One of all processes; a gap of seconds is a takeover.', [
          { expr: 'plimsoll_leader', legend: 'decides {{instance}}' },
          { expr: 'plimsoll_leader_term', legend: 'term {{instance}}' },
          { expr: 'plimsoll_account_partitions_kept', legend: 'keeps accounts {{instance}}' },
          { expr: 'max(plimsoll_account_partitions)', legend: 'partitions of accounts' },
        ]),
        lines('Store that cannot be followed', 'none', '1 while it is so; the last valid limits stay.', [
          { expr: 'plimsoll_store_fault_active > 0', legend: '{{reason}} {{instance}}' },
          { expr: 'plimsoll_stream_fault_active > 0', legend: '{{reason}} {{instance}}' },
        ]),
        lines('Lag of the event loop', 's', 'What every request waits for.', [
          { expr: 'plimsoll_nodejs_eventloop_lag_p99_seconds', legend: '99 % {{instance}}' },
          { expr: 'plimsoll_nodejs_eventloop_lag_max_seconds', legend: 'longest {{instance}}' },
        ]),
        lines('Processor', 'none', 'Cores in use, all threads; trainings run in a process of their own.', [
          { expr: 'rate(plimsoll_process_cpu_seconds_total[5m])', legend: '{{instance}}' },
        ]),
        lines('Memory', 'bytes', 'A rise without an end is a leak.', [
          { expr: 'plimsoll_process_resident_memory_bytes', legend: 'resident {{instance}}' },
          { expr: 'plimsoll_nodejs_heap_size_used_bytes', legend: 'heap {{instance}}' },
        ]),
        lines(
          'Nothing can be stored',
          'none',
          '1 while writes are refused: the disk is full, or may only be read.',
          [{ expr: 'plimsoll_storage_failing', legend: '{{instance}}' }],
        ),
        lines('Open files', 'none', 'Each connection is one.', [
          { expr: 'plimsoll_process_open_fds', legend: '{{instance}}' },
        ]),
      ],
    },
  ],
};
