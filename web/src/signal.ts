import { useEffect, useState } from 'preact/hooks';

/** A value that pages look at and are drawn anew for. */
export interface Cell<T> {
  get(): T;
  set(value: T): void;
  listen(listener: () => void): () => void;
}

export function cell<T>(initial: T): Cell<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set: (next) => {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener();
    },
    listen: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export function useCell<T>(source: Cell<T>): T {
  const [value, setValue] = useState(source.get);
  useEffect(() => {
    const take = (): void => setValue(() => source.get());
    take();
    return source.listen(take);
  }, [source]);
  return value;
}
