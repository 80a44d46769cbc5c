import type { ComponentChildren } from 'preact';
import type { Problem } from '../api.ts';
import type { Resource } from '../resource.ts';

/** What the service refused, with its remedy. */
export function ProblemNotice({ problem }: { readonly problem: Problem }) {
  return (
    <div class={`notice ${problem.status === 503 || problem.status === 0 ? 'warn' : 'bad'}`} role="alert">
      <strong>{problem.message}</strong> <code>{problem.code}</code>
      {problem.remedy !== '' && <span class="remedy">{problem.remedy}</span>}
    </div>
  );
}

/** Shows what was read, the last answer too where reading it anew failed, and says why where there is none. */
export function Loaded<T>({
  from,
  children,
}: {
  readonly from: Resource<T>;
  readonly children: (data: T) => ComponentChildren;
}) {
  const { data, problem } = from;
  return (
    <>
      {problem !== null && problem.status !== -1 && <ProblemNotice problem={problem} />}
      {data !== null ? children(data) : problem === null && <p class="empty">Reading …</p>}
    </>
  );
}

export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}
