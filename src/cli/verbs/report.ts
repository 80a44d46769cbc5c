import { rename, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { PlimsollError } from '../../errors.ts';
import type { CliContext, CommonOptions } from '../command.ts';
import { openRegistry, versionNamed } from './models.ts';

interface ReportOptions extends CommonOptions {
  readonly output: string;
}

/** Writes the report that was made when the version was trained. */
export async function report(
  context: CliContext,
  name: string,
  { json, output, ...flags }: ReportOptions,
): Promise<void> {
  const { registry } = openRegistry(flags);
  const version = await versionNamed(registry, name);
  const html = await registry.document(version, 'report.html');
  if (html === null) {
    throw new PlimsollError('NOT_FOUND', `${version} has no report`, {
      remedy: 'Train it anew with scores: plimsoll train without --no-evaluate.',
    });
  }
  const file = resolve(output);
  await writeFile(`${file}.${process.pid}.tmp`, html).catch((cause) => {
    throw new PlimsollError('IO_FAILED', `${file} cannot be written`, {
      remedy: 'Give a file in a folder that is there and may be written to.',
      cause,
    });
  });
  await rename(`${file}.${process.pid}.tmp`, file);
  if (json === true) context.printJson({ version, file, bytes: Buffer.byteLength(html) });
  else context.print(`${file}: report of ${version}, ${(Buffer.byteLength(html) / 1e6).toFixed(2)} MB`);
}
