import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { files, production, ROOT, textOf } from './repository.ts';

describe('what is committed', () => {
  const texts = files.filter((file) => /\.(ts|md|json|ya?ml|sh)$|^\.ci\/run$|Dockerfile$/.test(file));

  test('names no path of a developer machine and no unfinished work', () => {
    const own = ['test/house.test.ts', 'package-lock.json'];
    const pattern = /\/work\/|\/root\/|\/home\/\w+\/|\bTO[D]O\b|\bFIX[M]E\b|\bXX[X]\b/;
    expect(texts.filter((file) => !own.includes(file) && pattern.test(textOf(file)))).toEqual([]);
  });

  test('holds no market data', () => {
    expect(files.filter((file) => /\.(csv\.gz|parquet|sqlite|duckdb)$/.test(file))).toEqual([]);
    const tables = files.filter((file) => file.endsWith('.csv'));
    expect(tables.filter((file) => !/^models\/versions\/[\w-]+\/scores\.csv$/.test(file))).toEqual([]);
  });

  test('keeps files short enough to be of one subject', () => {
    const long = files
      // A report of a run is made, not written.
      .filter((file) => /\.(ts|tsx|css|html)$/.test(file) && !file.startsWith('models/versions/'))
      .map((file) => [file, textOf(file).split('\n').length] as const)
      .filter(([, lines]) => lines > 420);
    expect(long).toEqual([]);
  });

  test('pins one Node in every place that names one', () => {
    const { engines, devDependencies } = JSON.parse(textOf('package.json'));
    const major = textOf('.node-version').trim().split('.')[0];
    expect(engines.node).toBe(`>=${major}`);
    expect(devDependencies.node).toMatch(new RegExp(`^\\^${major}\\.`));
    const images = [...textOf('Dockerfile').matchAll(/^FROM node:(\d+)[\w.-]*/gm)].map(
      ([, version]) => version,
    );
    expect(images.length).toBeGreaterThan(0);
    expect(new Set(images)).toEqual(new Set([major]));
  });

  test('gives every dependency a line with its reason', () => {
    const { dependencies, devDependencies } = JSON.parse(textOf('package.json'));
    const table = textOf('docs/dependencies.md');
    const missing = Object.keys({ ...dependencies, ...devDependencies }).filter(
      (name) => !table.includes(`\`${name}\``),
    );
    expect(missing).toEqual([]);
  });

  test('every dependency of the program is imported somewhere', () => {
    const { dependencies } = JSON.parse(textOf('package.json'));
    const everything = production.map(textOf).join('\n');
    const unused = Object.keys(dependencies).filter((name) => !everything.includes(`'${name}`));
    expect(unused).toEqual([]);
  });

  test('links within the documents lead somewhere', () => {
    const broken = files
      .filter((file) => file.endsWith('.md') && !file.startsWith('models/versions/'))
      .flatMap((file) =>
        [...textOf(file).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g)]
          .map(([, target]) => target)
          .filter((target) => !existsSync(join(ROOT, dirname(file), target)))
          .map((target) => `${file} links to ${target}`),
      );
    expect(broken).toEqual([]);
  });

  test('links to a heading lead to one', () => {
    const documents = files.filter((file) => file.endsWith('.md') && !file.startsWith('models/versions/'));
    const broken = documents.flatMap((file) =>
      [...textOf(file).matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)#([^)\s]+)\)/g)]
        .map(([, target, anchor]) => [target === '' ? file : join(dirname(file), target), anchor] as const)
        .filter(([target]) => documents.includes(target))
        .filter(([target, anchor]) => !anchorsOf(textOf(target)).has(anchor))
        .map(([target, anchor]) => `${file} links to ${target}#${anchor}`),
    );
    expect(broken).toEqual([]);
  });

  test('documents every error code and every reason code', async () => {
    const { ERROR_CATALOGUE } = await import('../src/errors.ts');
    const { BOUND_NAMES, REASON_CODES } = await import('../src/limits/types.ts');
    const errors = textOf('docs/errors.md');
    expect(Object.keys(ERROR_CATALOGUE).filter((code) => !errors.includes(`\`${code}\``))).toEqual([]);
    const reasons = textOf('docs/reasons.md');
    const { CAP_REASONS } = await import('../src/accounts/user-limits.ts');
    const { CAP_NOTES } = await import('../src/accounts/position-limits.ts');
    const { REDUCE_ONLY_CAUSES } = await import('../src/accounts/reduce-only.ts');
    const codes = [...REASON_CODES, ...BOUND_NAMES, ...CAP_REASONS, ...CAP_NOTES, ...REDUCE_ONLY_CAUSES];
    expect(codes.filter((code) => !reasons.includes(`\`${code}\``))).toEqual([]);
  });

  test('documents every setting and every verb', async () => {
    const { FILE_VARIABLES, SETTINGS } = await import('../src/config.ts');
    const configuration = textOf('docs/configuration.md');
    const settings = Object.values(SETTINGS).map(({ variable }) => variable);
    const variables = [...settings, ...Object.values(FILE_VARIABLES)];
    expect(variables.filter((variable) => !configuration.includes(variable))).toEqual([]);
    const { buildProgram } = await import('../src/cli/program.ts');
    const { createContext } = await import('../src/cli/context.ts');
    const context = createContext();
    const verbs = buildProgram(context).commands.flatMap((command) =>
      command.commands.length === 0
        ? [command.name()]
        : command.commands.map((inner) => `${command.name()} ${inner.name()}`),
    );
    context.close();
    const commands = textOf('docs/commands.md');
    expect(verbs.filter((verb) => !commands.includes(`plimsoll ${verb}`))).toEqual([]);
  });
});

/** Of every heading, as GitHub names them: small letters, hyphens for spaces, no other marks; a name that comes again is numbered. */
function anchorsOf(text: string): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const anchors = new Set<string>();
  // What stands in a block of code is no heading.
  for (const [, heading] of text.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/^#{1,6} +(.+?) *$/gm)) {
    const shown = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = shown.replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '').replaceAll(' ', '-');
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    anchors.add(before === 0 ? slug : `${slug}-${before}`);
  }
  return anchors;
}
