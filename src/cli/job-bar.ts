import { JobPace, type JobStep } from '../../training/job-pace.ts';
import { stopwatchSeconds } from '../clock.ts';
import type { CliContext } from './command.ts';
import { shortNumber } from './progress.ts';

/**
 * One bar over all phases of a job. A line says when a phase begins, so that a log without a terminal tells the story.
 *
 * @param expected seconds by phase, in order, of an earlier run or a guess.
 */
export function jobBar(
  context: CliContext,
  label: string,
  expected: readonly (readonly [phase: string, seconds: number])[],
): { readonly update: (step: JobStep) => void; readonly finish: () => void } {
  const pace = new JobPace(expected);
  const started = stopwatchSeconds();
  const bar = context.progress(label, 1);
  let phase = '';
  return {
    update: (step) => {
      if (step.phase !== phase) {
        bar.finish();
        phase = step.phase;
        context.note(`${phase} …`);
      }
      const { share, secondsLeft, rate } = pace.step(step, stopwatchSeconds() - started);
      bar.update(share, `${phase} ${step.remark}`.trimEnd(), {
        secondsLeft,
        ...(rate === null ? {} : { rate: `${shortNumber(rate.perSecond)} ${rate.unit}/s` }),
      });
    },
    finish: () => bar.finish(),
  };
}
