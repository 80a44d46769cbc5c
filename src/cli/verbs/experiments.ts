import { type Experiment, skillOf, sortedExperiments } from '../../../training/experiments.ts';
import { loadExperiments } from '../../../training/run.ts';
import { loadConfig } from '../../config.ts';
import { type CliContext, type CommonOptions, table } from '../command.ts';
import { duration } from '../progress.ts';

interface ExperimentsOptions extends CommonOptions {
  readonly best?: boolean;
  readonly limit?: number;
}

const NOTE_LENGTH = 50;

/** What was tried in this data folder and what came of it. */
export async function listExperiments(
  context: CliContext,
  { json, best, limit, ...flags }: ExperimentsOptions,
): Promise<void> {
  const { experiments, refused } = await loadExperiments(loadConfig(flags).values.dataDir);
  const shown = sortedExperiments(experiments, best === true ? 'best' : 'newest').slice(0, limit);
  if (refused > 0) context.note(`${refused} lines of the log cannot be read and are left out`);
  if (json === true) {
    const rows = shown.map((one) => ({ ...one, skill: skillOf(one) }));
    context.printJson({ total: experiments.length, refused, experiments: rows });
    return;
  }
  if (experiments.length === 0) {
    context.print('nothing was tried yet');
    return;
  }
  const header = ['id', 'tried', 'what', 'skill', 'gates', 'result', 'version', 'took', 'note'];
  context.print(table(header, shown.map(line)));
}

function line(one: Experiment): string[] {
  const skill = skillOf(one);
  const passed = one.gates.filter((gate) => gate.passed).length;
  const remark = one.result === 'failed' ? one.message : one.note;
  return [
    one.id,
    one.at.slice(0, 16),
    `${one.kind} ${one.name}`,
    skill === null ? '' : `${(100 * skill).toFixed(1)}%`,
    one.gates.length === 0 ? '' : `${passed} of ${one.gates.length}`,
    one.result,
    one.version ?? '',
    duration(one.seconds),
    remark.length > NOTE_LENGTH ? `${remark.slice(0, NOTE_LENGTH - 1)}…` : remark,
  ];
}
