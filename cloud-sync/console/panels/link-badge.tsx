import type { LinkState } from "../api/answers.ts";
import { useWording } from "../app/console-context.ts";

/** The word, and a form of its own for each state: never colour alone. */
export function LinkBadge({ state }: { readonly state: LinkState }) {
  const wording = useWording();
  return (
    <span class={`link ${state}`}>
      <i aria-hidden="true" />
      {wording.text(`link.${state}`)}
    </span>
  );
}
