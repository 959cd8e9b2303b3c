import { z } from "zod";

const effect = z.looseObject({
  kind: z.literal("effect"),
  seq: z.number(),
  device: z.string(),
  what: z.string(),
  from: z.number(),
  to: z.number(),
  /** `request` and `order`: from the wire; `control`: a hand; `device`: its own rule. */
  cause: z.looseObject({ by: z.string(), rule: z.string().optional() }),
  wallMs: z.number(),
});
export type Effect = z.infer<typeof effect>;
const page = z.looseObject({
  entries: z.array(z.union([effect, z.looseObject({ kind: z.enum(["write", "order"]), seq: z.number() })])),
  newest: z.number(),
  overwritten: z.number(),
});

/** The simulated devices' own journal: ground truth for what moved, never what a gateway says. */
export class JournalClient {
  readonly #url: string;

  constructor(control: { readonly host: string; readonly port: number }) {
    this.#url = `http://${control.host}:${control.port}`;
  }

  /** The newest entry's position. */
  async position(): Promise<number> {
    return (await this.#page("limit=1&since=0")).newest;
  }

  /** Every change in the devices and every write since `position`. @throws if the ring has lost any of them. */
  async since(position: number): Promise<{ readonly effects: readonly Effect[]; readonly writes: number }> {
    const entries: z.infer<typeof page>["entries"] = [];
    for (let at = position; ; ) {
      const next = await this.#page(`limit=10000&since=${at}`);
      if (next.overwritten > 0) throw new Error(`the devices' journal has lost ${next.overwritten} entries`);
      entries.push(...next.entries);
      at = next.entries.at(-1)?.seq ?? at;
      if (next.entries.length === 0 || at >= next.newest) break;
    }
    const effects = entries.filter((entry): entry is Effect => entry.kind === "effect");
    return { effects, writes: entries.length - effects.length };
  }

  async #page(query: string): Promise<z.infer<typeof page>> {
    const response = await fetch(`${this.#url}/journal?${query}`);
    if (!response.ok) throw new Error(`the simulators answered ${response.status} ${await response.text()}`);
    return page.parse(await response.json());
  }
}
