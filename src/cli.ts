#!/usr/bin/env node
import { CommanderError } from 'commander';
import { createContext } from './cli/context.ts';
import { buildProgram } from './cli/program.ts';
import { asPlimsollError } from './errors.ts';

const EXIT_USAGE = 2;

const context = createContext();
const isJson = process.argv.includes('--json');
try {
  await buildProgram(context).parseAsync(process.argv);
} catch (thrown) {
  report(thrown);
}
context.close();
process.exitCode = context.exitCode();

function report(thrown: unknown): void {
  if (thrown instanceof CommanderError) {
    // Help and version end this way as well, with code 0; commander has printed the message of a usage error.
    context.setExitCode(thrown.exitCode === 0 ? 0 : EXIT_USAGE);
    return;
  }
  if (context.interrupted.aborted) {
    context.note('interrupted; what was finished before is kept');
    return;
  }
  const { code, message, remedy, exitCode, details, cause } = asPlimsollError(thrown);
  context.setExitCode(exitCode);
  if (isJson) context.note(JSON.stringify({ error: { code, message, remedy, details } }));
  else context.note(`${code}: ${message}${remedy === undefined ? '' : `\n${remedy}`}`);
  if (code === 'INTERNAL' && cause instanceof Error) context.note(cause.stack ?? '');
}
