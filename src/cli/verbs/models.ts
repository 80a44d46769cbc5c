import { BarStore } from '../../../data/bar-store.ts';
import { ALIASES, type Alias, ModelRegistry } from '../../../models/registry.ts';
import { loadConfig } from '../../config.ts';
import { shadowObstacles } from '../../control/shadow-record.ts';
import { PlimsollError } from '../../errors.ts';
import { SHIPPED_MODELS } from '../../program.ts';
import { modelSummaries } from '../../registry-view.ts';
import { tellChampion } from '../../shared-models.ts';
import { type CliContext, type CommonOptions, table } from '../command.ts';
import { recordAudit } from './records.ts';
import { requireShadow, shadowEntries, shadowLines, shadowOf } from './shadow.ts';
import type { StatePlace } from './state.ts';

interface ReasonOptions extends CommonOptions {
  readonly reason?: string;
}

export async function listModels(context: CliContext, { json, ...flags }: CommonOptions): Promise<void> {
  const { registry, config } = openRegistry(flags);
  const models = await modelSummaries(registry, await shadowEntries(config));
  if (json === true) {
    context.printJson({ total: models.length, models });
    return;
  }
  const rows = models.map((model) => [
    model.version,
    model.aliases.join(', '),
    model.createdAt.slice(0, 16),
    model.dataFrom.slice(0, 10),
    model.dataTo.slice(0, 10),
    String(model.markets),
    [model.shipped ? 'shipped' : 'trained here', ...(model.simulated ? ['on simulated markets'] : [])].join(
      ', ',
    ),
    model.gates,
  ]);
  context.print(table(['version', 'alias', 'made', 'data from', 'to', 'markets', 'origin', 'gates'], rows));
  for (const { shadow } of models)
    if (shadow !== null) for (const line of shadowLines(shadow)) context.print(line);
}

interface PromoteOptions extends ReasonOptions {
  readonly override?: boolean;
}

export async function promote(
  context: CliContext,
  name: string,
  { json, reason, override = false, ...flags }: PromoteOptions,
): Promise<void> {
  if (override && (reason ?? '').trim() === '') {
    throw new PlimsollError('USAGE', 'an override needs a reason, which the audit keeps', {
      remedy: 'Add --reason TEXT.',
    });
  }
  const { registry, config } = openRegistry(flags);
  const version = await versionNamed(registry, name);
  await requireKin(registry, config.dataDir, version);
  const shadow = await shadowOf(registry, config, version);
  if (shadow !== null && json !== true) for (const line of shadowLines(shadow)) context.print(line);
  requireShadow(version, shadow, override);
  const overridden = override ? [...(await registry.obstacles(version)), ...shadowObstacles(shadow)] : [];
  const { gates } = await registry.manifest(version);
  const record = (from: string | null): Promise<void> =>
    recordAudit(config, {
      at: context.clock.now(),
      kind: 'promotion',
      subject: version,
      reason: reason ?? 'not given',
      details: { from, to: version, gatePolicy: gates?.policyVersion ?? null, overridden },
    });
  const previous = await registry.promote(version, { override, record });
  await tellChampion(config.databaseUrl, registry);
  if (json === true) context.printJson({ champion: version, previous, overridden });
  else {
    context.print(`${version} is the champion${previous === null ? '' : `, after ${previous}`}`);
    for (const obstacle of overridden) context.print(`  in spite of ${obstacle}`);
  }
}

/** What was learned on invented prices must not decide about real ones. */
async function requireKin(registry: ModelRegistry, dataDir: string, version: string): Promise<void> {
  const { data } = await registry.manifest(version);
  if (!data.simulated) return;
  const store = await BarStore.open(dataDir);
  try {
    const isReal = (await store.catalogue()).some(({ simulated }) => !simulated);
    if (!isReal) return;
  } finally {
    store.close();
  }
  throw new PlimsollError(
    'GATE_FAILED',
    `${version} was trained on simulated markets, and real ones are stored`,
    {
      remedy: 'Train on the imported history (plimsoll train) and promote that version.',
    },
  );
}

export async function rollback(
  context: CliContext,
  { json, reason = 'not given', ...flags }: ReasonOptions,
): Promise<void> {
  const { registry, config } = openRegistry(flags);
  const { from, to } = await registry.rollback((change) =>
    recordAudit(config, {
      at: context.clock.now(),
      kind: 'rollback',
      subject: change.to,
      reason,
      details: { ...change },
    }),
  );
  await tellChampion(config.databaseUrl, registry);
  if (json === true) context.printJson({ champion: to, previous: from });
  else context.print(`${to} is the champion again, after ${from}`);
}

export function openRegistry(flags: Omit<CommonOptions, 'json'>): {
  registry: ModelRegistry;
  config: StatePlace;
} {
  const { values: config } = loadConfig(flags);
  return { registry: new ModelRegistry(SHIPPED_MODELS, config.dataDir), config };
}

/** @throws PlimsollError VERSION_UNKNOWN for an alias that names none. */
export async function versionNamed(registry: ModelRegistry, name: string): Promise<string> {
  if (!(ALIASES as readonly string[]).includes(name)) return name;
  const version = await registry.versionOf(name as Alias);
  if (version !== null) return version;
  throw new PlimsollError('VERSION_UNKNOWN', `there is no ${name}`, {
    remedy: 'List the versions that there are: plimsoll models.',
  });
}
