import { useEffect, useRef, useState } from 'preact/hooks';
import { Problem, write } from './api.ts';
import { onLive } from './live.ts';
import type { Resource } from './resource.ts';
import { keyCell } from './session.ts';

export interface PostedOptions {
  /** Asked again when limits change, for answers that follow from them. */
  readonly isLive?: boolean;
}

/**
 * The answer to a question that is too large for an address and changes nothing: a check, a simulation, a scenario.
 * It is asked again whenever the question changes; the last answer stays while it is.
 *
 * @param body null for nothing to ask yet.
 */
export function usePosted<T>(
  path: string,
  body: unknown,
  { isLive = false }: PostedOptions = {},
): Resource<T> {
  const [state, setState] = useState<{ data: T | null; problem: Problem | null; isLoading: boolean }>({
    data: null,
    problem: null,
    isLoading: body !== null,
  });
  const [round, setRound] = useState(0);
  const refresh = (): void => setRound((before) => before + 1);
  const asked = useRef(0);
  const question = body === null ? null : JSON.stringify(body);

  useEffect(() => {
    const own = ++asked.current;
    if (question === null) {
      setState({ data: null, problem: null, isLoading: false });
      return;
    }
    setState((before) => ({ ...before, isLoading: true }));
    write<T>(path, { method: 'POST', body: JSON.parse(question) })
      .then((data) => ({ data, problem: null }))
      // An answer to another question would stand there as if it were to this one.
      .catch((thrown: unknown) => ({ data: null, problem: problemFrom(thrown) }))
      .then((next) => {
        if (own === asked.current) setState({ ...next, isLoading: false });
      });
  }, [path, question, round]);

  useEffect(() => {
    const forgetters = [
      keyCell.listen(refresh),
      ...(isLive
        ? [
            onLive(({ kind }) => {
              if (kind === 'limits' || kind === 'user' || kind === 'resumed') refresh();
            }),
          ]
        : []),
    ];
    return () => {
      asked.current++;
      for (const forget of forgetters) forget();
    };
  }, [isLive]);

  return { ...state, refresh };
}

function problemFrom(thrown: unknown): Problem {
  return thrown instanceof Problem
    ? thrown
    : new Problem('UNREADABLE', -1, `the answer cannot be read: ${String(thrown)}`, '');
}
