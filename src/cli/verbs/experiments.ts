import { type Experiment, skillOf, sortedExperiments } from '../../../training/experiments.ts';
import { loadExperiments } from '../../../training/run.ts';
import { loadConfig } from '../../config.ts';
import { SHIPPED_MODELS } from '../../program.ts';
import { type CliContext, type CommonOptions, table } from '../command.ts';
import { duration } from '../progress.ts';

interface ExperimentsOptions extends CommonOptions {
  readonly best?: boolean;
  readonly limit?: number;
  /** Those that led to the shipped recipe, not this folder's. */
  readonly shipped?: boolean;
}

const NOTE_LENGTH = 90;

/** What was tried in this data folder, or for the shipped recipe, and what came of it. */
export async function listExperiments(
  context: CliContext,
  { json, best, limit, shipped, ...flags }: ExperimentsOptions,
): Promise<void> {
  const folder = shipped === true ? SHIPPED_MODELS : loadConfig(flags).values.dataDir;
  const { experiments, refused } = await loadExperiments(folder);
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
  const remark = one.result === 'failed' ? one.message : `${ideaScores(one)}${one.note}`;
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

/** An idea has no version and no skill: what it changed is what there is to tell. */
function ideaScores({ kind, against, shock }: Experiment): string {
  if (kind !== 'idea') return '';
  const signed = (share: number): string => `${share < 0 ? '' : '+'}${(100 * share).toFixed(1)}%`;
  const scores = [
    ...against.map(({ forecaster, pinballRatio }) => `${signed(pinballRatio - 1)} of ${forecaster}`),
    ...shock.map(({ side, skill }) => `Brier skill ${side} ${skill.toFixed(3)}`),
  ];
  return scores.length === 0 ? '' : `${scores.join(', ')}: `;
}
