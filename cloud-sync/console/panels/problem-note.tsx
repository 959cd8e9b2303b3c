import type { CenterProblem } from "../api/center-client.ts";
import { useWording } from "../app/console-context.ts";

/** What the center said instead of doing it, in words. */
export function ProblemNote({ problem }: { readonly problem: CenterProblem }) {
  const wording = useWording();
  return (
    <p class="notice trouble" role="alert">
      {wording.textFor(`problem.${problem.status}`, problem.message)}
    </p>
  );
}
