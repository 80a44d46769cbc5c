import type { PageProps } from '../pages.tsx';

export function WhatIfPage(_: PageProps) {
  return <h1>WhatIf</h1>;
}
