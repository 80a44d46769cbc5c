import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PlimsollError } from '../src/errors.ts';
import type { RowForecaster } from '../src/forecast/row-forecaster.ts';
import { RowPredictor } from '../src/forecast/row-predictor.ts';
import { type PromotionStanding, promotionObstacles, promotionRefused } from './gate-record.ts';
import { MODEL_VERSION, type ModelManifest } from './manifest.ts';
import { loadForecaster, readManifest } from './version-folder.ts';

/** Who a version is for: the champion decides, the challenger waits. */
export const ALIASES = ['champion', 'challenger'] as const;
export type Alias = (typeof ALIASES)[number];

/** What may lie in a version's folder beside manifest and weights, for people and their tools. */
export type ModelDocument = 'card.md' | 'scores.csv' | 'report.html' | 'judgement.json';

export interface AliasFile {
  readonly champion?: string;
  readonly challenger?: string;
  /** Champions before the present one, oldest first. */
  readonly formerChampions?: readonly string[];
}

/** A version as it lies in its folder. */
export interface VersionFiles {
  readonly version: string;
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
}

export interface RegisteredModel {
  readonly manifest: ModelManifest;
  readonly aliases: readonly Alias[];
  /** Ships with the program rather than having been trained here. */
  readonly shipped: boolean;
}

export interface ChampionChange {
  readonly from: string;
  readonly to: string;
}

const MOST_FORMER_CHAMPIONS = 20;

const unrecorded = async (): Promise<void> => {};

/**
 * Trained versions in two folders: those that ship with the program (never written to) and those trained here, under
 * `<data-dir>/models`. Aliases are kept with the latter and fall back to the shipped ones.
 */
export class ModelRegistry {
  readonly #shipped: string;
  readonly #local: string;

  /** @param shippedDirectory the `models` folder of the program. @param dataDir the data folder. */
  constructor(shippedDirectory: string, dataDir: string) {
    this.#shipped = shippedDirectory;
    this.#local = join(dataDir, 'models');
  }

  /** All versions whose manifest can be read, oldest first. */
  async list(): Promise<readonly RegisteredModel[]> {
    const aliases = await this.#aliases();
    const models: RegisteredModel[] = [];
    for (const [root, shipped] of [[this.#shipped, true] as const, [this.#local, false] as const]) {
      for (const version of await versionsIn(root)) {
        if (models.some(({ manifest }) => manifest.version === version)) continue;
        const manifest = await readManifest(join(root, 'versions', version), version).catch(() => null);
        if (manifest === null) continue;
        models.push({ manifest, shipped, aliases: ALIASES.filter((alias) => aliases[alias] === version) });
      }
    }
    return models.sort((a, b) => (a.manifest.createdAt < b.manifest.createdAt ? -1 : 1));
  }

  /** The version that an alias names, or null. */
  async versionOf(alias: Alias): Promise<string | null> {
    return (await this.#aliases())[alias] ?? null;
  }

  /** @throws PlimsollError VERSION_UNKNOWN, MODEL_DAMAGED. */
  async manifest(version: string): Promise<ModelManifest> {
    return readManifest(await this.#folder(version), version);
  }

  /**
   * Loads a version for scoring after every check: manifest, feature specification, checksum, finite weights, probe.
   *
   * @throws PlimsollError VERSION_UNKNOWN, MODEL_DAMAGED; DEPENDENCY_MISSING where the package that runs it is not installed.
   */
  async load(version: string): Promise<RowPredictor> {
    const { manifest, forecaster } = await this.forecaster(version);
    return new RowPredictor(`${manifest.name}@${version}`, forecaster);
  }

  /** What a version forecasts feature rows with, after the same checks, for evaluation. The caller disposes of it. */
  async forecaster(version: string): Promise<{ manifest: ModelManifest; forecaster: RowForecaster }> {
    const folder = await this.#folder(version);
    const manifest = await readManifest(folder, version);
    return { manifest, forecaster: await loadForecaster(folder, manifest) };
  }

  /**
   * Writes a version folder in one rename. An existing version is left as it is.
   *
   * @param documents further files by name: the card, scores by market, the report.
   * @param isChallenger whether it is named challenger.
   */
  async add(
    manifest: ModelManifest,
    weights: Buffer,
    documents: Readonly<Partial<Record<ModelDocument, string>>>,
    isChallenger = true,
  ): Promise<void> {
    const files = [
      { name: manifest.weights.file, bytes: weights },
      { name: 'manifest.json', bytes: Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`) },
      ...Object.entries(documents).map(([name, text]) => ({ name, bytes: Buffer.from(text) })),
    ];
    await this.#place({ version: manifest.version, files });
    const aliases = await this.#aliases();
    if (isChallenger && aliases.champion !== manifest.version)
      await this.#writeAliases({ ...aliases, challenger: manifest.version });
  }

  /** All that lies in the folder of a version, for another registry to receive. @throws PlimsollError VERSION_UNKNOWN. */
  async filesOf(version: string): Promise<VersionFiles> {
    const folder = await this.#folder(version);
    const names = (await readdir(folder)).sort();
    const files = names.map(async (name) => ({ name, bytes: await readFile(join(folder, name)) }));
    return { version, files: await Promise.all(files) };
  }

  /**
   * Takes a version over from another registry, in one rename, once it could be loaded whole. An existing one is left as it is, and no alias
   * is changed.
   *
   * @throws PlimsollError MODEL_DAMAGED; DEPENDENCY_MISSING where the package that runs it is not installed.
   */
  async receive(given: VersionFiles): Promise<void> {
    const { version, files } = given;
    const isNamed = MODEL_VERSION.test(version) && files.every(({ name }) => FILE_NAME.test(name));
    if (!isNamed) throw notWhole(version);
    await this.#place(given, async (folder) => {
      const forecaster = await loadForecaster(folder, await readManifest(folder, version));
      forecaster.dispose();
    });
  }

  /** Whether a version is here, shipped or trained. */
  async has(version: string): Promise<boolean> {
    const found = await this.#folder(version).catch(() => null);
    return found !== null;
  }

  /** Who is named what here; of the shipped versions where nobody was named here yet. */
  aliases(): Promise<AliasFile> {
    return this.#aliases();
  }

  /** Whether somebody was named here, and not only in what ships. */
  async hasOwnAliases(): Promise<boolean> {
    const names: string[] = await readdir(this.#local).catch(() => []);
    return names.includes('aliases.json');
  }

  /** Names those whom another registry names. Whoever is champion there must be here. @throws PlimsollError VERSION_UNKNOWN. */
  async adopt(aliases: AliasFile): Promise<void> {
    if (aliases.champion !== undefined) await this.#folder(aliases.champion);
    await this.#writeAliases(aliases);
  }

  /** What stands against promoting a version, a sentence each. @throws PlimsollError VERSION_UNKNOWN, MODEL_DAMAGED. */
  async obstacles(version: string): Promise<readonly string[]> {
    return promotionObstacles(await this.manifest(version), standingOf(await this.#aliases()));
  }

  /**
   * Makes a version the champion, after it has been loaded whole. Returns the champion before.
   *
   * @param override promotes what the gates do not let through; whoever asks for it records why.
   * @param record is waited for before anything changes, once nothing stands against it: whoever dies in between leaves a
   * record of what did not happen, and never a champion that nobody is on record for. Where it fails nothing changes.
   * @throws PlimsollError VERSION_UNKNOWN, MODEL_DAMAGED, CONFLICT when it is the champion already, GATE_FAILED.
   */
  async promote(
    version: string,
    {
      override = false,
      record = unrecorded,
    }: { readonly override?: boolean; readonly record?: (from: string | null) => Promise<void> } = {},
  ): Promise<string | null> {
    await this.load(version);
    const aliases = await this.#aliases();
    const { champion, challenger, formerChampions = [] } = aliases;
    if (champion === version) {
      throw new PlimsollError('CONFLICT', `${version} is the champion already`, {
        remedy: 'Nothing is to be done.',
      });
    }
    const obstacles = promotionObstacles(await this.manifest(version), standingOf(aliases));
    if (obstacles.length > 0 && !override) throw promotionRefused(version, obstacles);
    const former = [...formerChampions, ...(champion === undefined ? [] : [champion])].slice(
      -MOST_FORMER_CHAMPIONS,
    );
    await record(champion ?? null);
    await this.#writeAliases({
      champion: version,
      ...(challenger === undefined || challenger === version ? {} : { challenger }),
      formerChampions: former,
    });
    return champion ?? null;
  }

  /**
   * Makes the champion before the present one champion again. Returns both.
   *
   * @param record see `promote`.
   * @throws PlimsollError NOT_FOUND when there was none, MODEL_DAMAGED when it can no longer be loaded.
   */
  async rollback(record: (change: ChampionChange) => Promise<void> = unrecorded): Promise<ChampionChange> {
    const { champion, challenger, formerChampions = [] } = await this.#aliases();
    const to = formerChampions.at(-1);
    if (to === undefined || champion === undefined) {
      throw new PlimsollError('NOT_FOUND', 'there is no former champion to go back to', {
        remedy: 'Promote the version that you want: plimsoll promote VERSION.',
      });
    }
    await this.load(to);
    await record({ from: champion, to });
    await this.#writeAliases({
      champion: to,
      ...(challenger === undefined ? {} : { challenger }),
      formerChampions: formerChampions.slice(0, -1),
    });
    return { from: champion, to };
  }

  /** One of the documents of a version, or null where it has none of that name. */
  async document(version: string, name: ModelDocument): Promise<string | null> {
    return readFile(join(await this.#folder(version), name), 'utf8').catch(() => null);
  }

  /** @param check of the folder before it is in its place; what it throws leaves nothing behind. */
  async #place(
    { version, files }: VersionFiles,
    check: (folder: string) => Promise<void> = async () => {},
  ): Promise<void> {
    const versions = join(this.#local, 'versions');
    await mkdir(versions, { recursive: true });
    await removeLeftovers(versions);
    const temporary = join(versions, `.${version}.${process.pid}.tmp`);
    await mkdir(temporary);
    try {
      for (const { name, bytes } of files) await writeDurably(join(temporary, name), bytes);
      await check(temporary);
      await flushFolder(temporary);
      await rename(temporary, join(versions, version));
      await flushFolder(versions);
    } catch (thrown) {
      await rm(temporary, { recursive: true, force: true });
      if (!['ENOTEMPTY', 'EEXIST'].includes((thrown as NodeJS.ErrnoException).code ?? '')) throw thrown;
    }
  }

  async #folder(version: string): Promise<string> {
    if (MODEL_VERSION.test(version)) {
      for (const root of [this.#local, this.#shipped]) {
        if ((await versionsIn(root)).includes(version)) return join(root, 'versions', version);
      }
    }
    throw new PlimsollError('VERSION_UNKNOWN', `there is no model version ${version.slice(0, 40)}`, {
      remedy: 'List the versions that there are: plimsoll models.',
    });
  }

  async #aliases(): Promise<AliasFile> {
    for (const root of [this.#local, this.#shipped]) {
      const text = await readFile(join(root, 'aliases.json'), 'utf8').catch(
        (thrown: NodeJS.ErrnoException) => {
          if (thrown.code === 'ENOENT') return null;
          throw thrown;
        },
      );
      if (text === null) continue;
      try {
        return JSON.parse(text) as AliasFile;
      } catch (cause) {
        throw new PlimsollError('MODEL_DAMAGED', 'the file of model aliases is not valid JSON', {
          remedy:
            'Remove aliases.json from the models folder of the data folder, then promote a version again.',
          cause,
        });
      }
    }
    return {};
  }

  async #writeAliases(aliases: AliasFile): Promise<void> {
    await mkdir(this.#local, { recursive: true });
    const path = join(this.#local, 'aliases.json');
    await writeDurably(`${path}.${process.pid}.tmp`, `${JSON.stringify(aliases, null, 2)}\n`);
    await rename(`${path}.${process.pid}.tmp`, path);
    await flushFolder(this.#local);
  }
}

const FILE_NAME = /^[\w-][\w.-]{0,99}$/;

function notWhole(version: string): PlimsollError {
  return new PlimsollError(
    'MODEL_DAMAGED',
    `model ${version.slice(0, 40)}: it has files that no version has`,
    {
      remedy: 'Promote another version, or train anew: plimsoll train.',
    },
  );
}

function standingOf({ champion, formerChampions = [] }: AliasFile): PromotionStanding {
  return { champion: champion ?? null, formerChampions };
}

async function versionsIn(root: string): Promise<string[]> {
  const names = await readdir(join(root, 'versions')).catch(() => []);
  return names.filter((name) => MODEL_VERSION.test(name)).sort();
}

async function removeLeftovers(versions: string): Promise<void> {
  for (const name of await readdir(versions)) {
    if (name.endsWith('.tmp')) await rm(join(versions, name), { recursive: true, force: true });
  }
}

/** A rename is durable once the folder is. */
async function flushFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeDurably(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  const handle = await open(path, 'r+');
  await handle.sync();
  await handle.close();
}
