import { Command, InvalidArgumentError } from 'commander';
import { SIZE_FORM_KINDS } from '../limits/size-form.ts';
import { PROGRAM_VERSION } from '../program.ts';
import { RISK_METHODS, type RiskMethod } from '../risk/tail/method-names.ts';
import { parseCount, parseDate } from './arguments.ts';
import { addAuditVerbs } from './audit-verbs.ts';
import { addBacktestVerbs } from './backtest-verbs.ts';
import type { CliContext } from './command.ts';
import { addGovernanceVerbs } from './governance-verbs.ts';
import { addKeyVerbs } from './key-verbs.ts';
import { addSystemVerbs } from './system-verbs.ts';

/** The name in package scripts and on the path. */
const NAME = 'plimsoll';

/**
 * All verbs, their options and examples. What a verb does is loaded when it is called, so that help is quick and no
 * command waits for a library that it does not use.
 */
export function buildProgram(context: CliContext): Command {
  const program = new Command(NAME)
    .description('Leverage limits for crypto-derivatives markets and their users.')
    .version(PROGRAM_VERSION)
    .exitOverride()
    .configureOutput({ writeErr: (text) => context.note(text.trimEnd()) })
    .showSuggestionAfterError()
    .showHelpAfterError('Run with --help to see what is there.');

  /** `run` gets the arguments in order, then the options. */
  const verb = (
    signature: string,
    description: string,
    example: string,
    parent: Command = program,
  ): Command => {
    const path = parent === program ? NAME : `${NAME} ${parent.name()}`;
    return parent
      .command(signature)
      .description(description)
      .option('--data-dir <folder>', 'folder of everything that is kept (PLIMSOLL_DATA_DIR, default ./var)')
      .option('--config <file>', 'YAML or JSON file of settings (PLIMSOLL_CONFIG)')
      .option('--policy <file>', 'policy file, in place of that in the settings (PLIMSOLL_POLICY)')
      .option('--json', 'print one JSON value')
      .addHelpText('after', `\nExample:\n  $ ${path} ${example}`)
      .exitOverride();
  };

  verb(
    'serve',
    'run the service: HTTP, decisions, scheduled training, metrics',
    'serve --port 8081 --data-dir ./var',
  )
    .option('--port <number>', 'port to listen on (PLIMSOLL_PORT, default 8080)')
    .option('--host <address>', 'address to listen on (PLIMSOLL_HOST, default 127.0.0.1)')
    .option('--log-level <level>', 'fatal, error, warn, info, debug or silent (PLIMSOLL_LOG_LEVEL)')
    .option(
      '--training-schedule <cron>',
      'when to train, in UTC, or off (PLIMSOLL_TRAINING_SCHEDULE, default "17 3 * * *")',
    )
    .option('--supervised', 'hold the port in a process of its own: SIGHUP starts the service anew behind it')
    .option('--wait', 'wait for the data folder where another service still has it')
    .option('--listen-descriptor <number>', 'an inherited socket to listen on (PLIMSOLL_LISTEN_DESCRIPTOR)')
    .action(async (options) => (await import('./verbs/serve.ts')).serve(context, options));

  verb(
    'migrate',
    'bring the schema of the database up to date, beside processes that run',
    'migrate --json',
  ).action(async (options) => (await import('./verbs/migrate.ts')).migrateDatabase(context, options));

  verb(
    'import',
    'import bars, mark prices, funding and open interest from CSV, CSV.gz, zip or Parquet',
    'import ./history BTCUSDT-binance-perp-1h.csv.gz',
  )
    .argument('<path...>', 'files and folders')
    .option('--symbol <market>', 'the market, where file names do not say it')
    .option('--venue <name>', 'the venue, where file names do not say it')
    .option('--kind <kind>', 'perp, perp-mark, perp-funding, perp-open-interest, spot, index or fx')
    .option('--interval <interval>', 'the interval of the bars, such as 1h')
    .option('--replace', 'rows that differ from stored ones take their place')
    .action(async (paths, options) =>
      (await import('./verbs/import.ts')).importHistory(context, paths, options),
    );

  verb(
    'fetch',
    "fetch bars of perpetual markets from an exchange's public API, from where the stored ones end",
    'fetch --exchange binanceusdm --symbols BTCUSDT,ETHUSDT --since 2022-01-01',
  )
    .requiredOption('--exchange <id>', 'a name of ccxt: binanceusdm, bybit, okx')
    .requiredOption('--symbols <list>', 'markets, separated by commas')
    .requiredOption('--since <date>', 'the first day, where nothing is stored yet', parseDate)
    .option('--interval <interval>', 'the interval of the bars', '1h')
    .option('--url <address>', 'another address of the same API: a proxy, a mirror')
    .action(async (options) => (await import('./verbs/fetch.ts')).fetchHistory(context, options));

  verb('data', 'what is stored: market, interval, span, gaps, quality', 'data --json').action(
    async (options) => (await import('./verbs/data.ts')).showData(context, options),
  );

  verb('train', 'train the shock model on the stored history', 'train --to 2024-06-30 --seeds 1,2,3')
    .option('--markets <list>', 'only these markets, separated by commas')
    .option('--to <date>', 'only data up to this day', parseDate)
    .option('--every-hours <number>', 'hours between training rows', parseCount)
    .option('--epochs <number>', 'most passes over the data', parseCount)
    .option('--seeds <list>', 'one network for each seed, separated by commas', parseSeeds)
    .option('--no-evaluate', 'skip the trial on the newest fifth of time: no scores, no gates')
    .option('--whole-field', 'judge against every classical forecaster, also those that take long')
    .option('--note <text>', 'why this is tried, for the experiment log')
    .action(async (options) => (await import('./verbs/train.ts')).train(context, options));

  verb('experiments', 'what was tried, and what came of it', 'experiments --best --limit 20')
    .option('--best', 'most skill first, not the newest')
    .option('--shipped', 'what was tried for the recipe that ships, not in this folder')
    .option('--limit <number>', 'most rows to show', parseCount)
    .action(async (options) => (await import('./verbs/experiments.ts')).listExperiments(context, options));

  verb('dataset', 'the exact training set as a Parquet file', 'dataset training-set.parquet --to 2024-06-30')
    .argument('<file>', 'the Parquet file to write')
    .option('--markets <list>', 'only these markets, separated by commas')
    .option('--to <date>', 'only data up to this day', parseDate)
    .option('--every-hours <number>', 'hours between training rows', parseCount)
    .action(async (file, options) => (await import('./verbs/dataset.ts')).dataset(context, file, options));

  verb(
    'evaluate',
    'scores of a version beside the classical forecasters, by market',
    'evaluate 20241231-1a2b3c4d',
  )
    .argument('<version>', 'a version, or the alias champion or challenger')
    .option('--whole-field', 'judge against every classical forecaster, also those that take long')
    .option('--output <file>', 'write the report as one HTML page')
    .action(async (version, options) =>
      (await import('./verbs/evaluate.ts')).evaluate(context, version, options),
    );

  verb(
    'judge',
    'anybody’s model on the rows that a training is judged on, by the same gates',
    'judge my-model.onnx --register --output judged.html',
  )
    .argument('<file>', 'an ONNX file, or a module that exports a predictor; a module is code, and is run')
    .option('--seen-until <date>', 'the newest day that it was made from; later ones are judged', parseDate)
    .option('--whole-field', 'judge against every classical forecaster, also those that take long')
    .option('--register', 'keep an ONNX file as a version; the challenger, if it passes every gate')
    .option('--output <file>', 'write the report as one HTML page')
    .action(async (file, options) => (await import('./verbs/judge.ts')).judgeFile(context, file, options));

  addBacktestVerbs(context, verb);

  addSystemVerbs(context, verb);

  verb('compare', 'two versions side by side', 'compare champion challenger')
    .argument('<a>', 'a version or an alias')
    .argument('<b>', 'another')
    .action(async (a, b, options) => (await import('./verbs/compare.ts')).compare(context, a, b, options));

  verb(
    'coverage',
    "judge anyone's forecasts: CSV time,loss,var,es or time,probability,outcome",
    'coverage forecasts.csv --confidence 0.99 --against others.csv',
  )
    .argument('<file>', 'CSV or CSV.gz with a header; losses positive, outcomes 0 or 1')
    .option('--confidence <share>', 'of VaR and ES', parseConfidence, 0.99)
    .option('--against <file...>', 'forecasts of others for the same losses, compared with these')
    .option('--horizon <steps>', 'rows that a loss is over, if losses overlap', parseCount, 1)
    .action(async (file, options) => (await import('./verbs/coverage.ts')).coverage(context, file, options));

  verb(
    'risk',
    'VaR and ES of a return series: CSV time,return',
    'risk returns.csv --method gjr-garch --confidence 0.99 --side long',
  )
    .argument('<file>', 'CSV or CSV.gz with a header')
    .option('--method <name>', `${RISK_METHODS.join(', ')}, or all`, parseMethod, 'historical')
    .option('--confidence <share>', 'of VaR and ES', parseConfidence, 0.99)
    .option('--side <side>', 'long or short', parseSide, 'long')
    .option('--horizon <steps>', 'steps that the loss is over', parseCount, 1)
    .option('--excursion', 'the worst loss on the path, not that at its end')
    .option('--decay <share>', 'of ewma and its filter, or estimate', parseDecay, 0.94)
    .option('--age-decay <share>', 'of age-weighted', parseConfidence, 0.98)
    .option('--distribution <name>', 'errors of garch and gjr-garch: t or normal', parseDistribution, 't')
    .option('--zero-mean', 'garch and gjr-garch without a mean')
    .option('--filter <name>', 'of filtered and --conditional: ewma, garch or gjr-garch', parseFilter, 'ewma')
    .option('--conditional', 'evt of filtered losses')
    .option('--tail <share>', 'of the losses that evt fits, or automatic', parseTail, 0.1)
    .option('--seed <number>', 'of simulations and resampling', parseCount, 1)
    .option('--replications <number>', 'resamples behind the interval', parseCount, 500)
    .option('--no-interval', 'no interval, which is what costs time')
    .action(async (file, options) => (await import('./verbs/risk.ts')).risk(context, file, options));

  verb('report', 'the report of a version as one HTML page', 'report challenger --output report.html')
    .argument('<version>', 'a version, or the alias champion or challenger')
    .requiredOption('--output <file>', 'the HTML file to write')
    .action(async (version, options) =>
      (await import('./verbs/report.ts')).report(context, version, options),
    );

  verb('models', 'trained versions and their aliases', 'models').action(async (options) =>
    (await import('./verbs/models.ts')).listModels(context, options),
  );

  verb(
    'promote',
    'make a version the champion; the next decision uses it',
    'promote 20241231-1a2b3c4d --reason "better tails"',
  )
    .argument('<version>', 'a version, or the alias challenger')
    .option('--override', 'also where the gates say no; needs --reason')
    .option('--reason <text>', 'why, for the audit chain')
    .action(async (version, options) =>
      (await import('./verbs/models.ts')).promote(context, version, options),
    );

  verb(
    'rollback',
    'make the champion before the present one champion again',
    'rollback --reason "exceedances doubled"',
  )
    .option('--reason <text>', 'why, for the audit chain')
    .action(async (options) => (await import('./verbs/models.ts')).rollback(context, options));

  verb(
    'limits',
    'the limits in force, of all markets or of one',
    'limits BTCUSDT --as-of 2026-01-31T12:00:00Z',
  )
    .argument('[symbol]', 'a market')
    .option('--as-of <time>', 'those in force at a time', parseDate)
    .option(
      '--form <name>',
      `of one market, as one formula: ${SIZE_FORM_KINDS.join(', ')}`,
      parseOneOf(...SIZE_FORM_KINDS),
    )
    .option('--up-to <notional>', 'largest notional that the formula has to cover', parseNotional)
    .action(async (symbol, options) =>
      (await import('./verbs/limits.ts')).showLimits(context, symbol, options),
    );

  verb('explain', 'why the limit of a market is what it is', 'explain BTCUSDT')
    .argument('<symbol>', 'a market')
    .option('--as-of <time>', 'of the limits in force at a time', parseDate)
    .action(async (symbol, options) => (await import('./verbs/limits.ts')).explain(context, symbol, options));

  verb('history', 'when and how the limits of a market changed', 'history BTCUSDT --limit 20')
    .argument('<symbol>', 'a market')
    .option('--limit <number>', 'most changes to show', parseCount)
    .option('--as-of <time>', 'only changes up to a time', parseDate)
    .action(async (symbol, options) => (await import('./verbs/limits.ts')).history(context, symbol, options));

  addGovernanceVerbs(context, verb, { parseDate, parseCount });

  addAuditVerbs(context, program, verb);

  addKeyVerbs(context, program, verb, parseDate);

  const config = program.command('config').description('the effective configuration');
  verb(
    'check',
    'check the configuration and print it, origins named, secrets masked, the policy explained',
    'check --policy policy.yaml',
    config,
  ).action(async (options) => (await import('./verbs/config.ts')).checkConfig(context, options));
  verb(
    'policy',
    'print the policy in force as a policy file, every setting explained',
    'policy > policy.yaml',
    config,
  )
    .option('--schema', 'print the JSON schema of policy files, for editors')
    .action(async (options) => (await import('./verbs/config.ts')).printPolicy(context, options));

  verb('doctor', 'what this machine or this data folder lacks', 'doctor').action(async (options) =>
    (await import('./verbs/doctor.ts')).doctor(context, options),
  );
  return program;
}

function parseNotional(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('Give a whole number of quote units, such as 1000000.');
  return value;
}

function parseConfidence(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < 1))
    throw new InvalidArgumentError('Give a number between 0 and 1, such as 0.99.');
  return value;
}

function parseMethod(text: string): RiskMethod | 'all' {
  const methods: readonly string[] = RISK_METHODS;
  if (text !== 'all' && !methods.includes(text))
    throw new InvalidArgumentError(`Give ${RISK_METHODS.join(', ')} or all.`);
  return text as RiskMethod | 'all';
}

const parseSide = parseOneOf('long', 'short');
const parseDistribution = parseOneOf('t', 'normal');
const parseFilter = parseOneOf('ewma', 'garch', 'gjr-garch');

function parseOneOf(...words: readonly string[]): (text: string) => string {
  return (text) => {
    if (!words.includes(text)) throw new InvalidArgumentError(`Give ${words.join(' or ')}.`);
    return text;
  };
}

function parseDecay(text: string): number | 'estimate' {
  return text === 'estimate' ? text : parseConfidence(text);
}

function parseTail(text: string): number | 'automatic' {
  return text === 'automatic' ? text : parseConfidence(text);
}

function parseSeeds(text: string): number[] {
  const seeds = text.split(',').map(Number);
  const isGood = seeds.length <= 10 && seeds.every((seed) => Number.isInteger(seed) && seed >= 0);
  if (!isGood || new Set(seeds).size < seeds.length)
    throw new InvalidArgumentError('Give up to ten different whole numbers, such as 1,2,3.');
  return seeds;
}
