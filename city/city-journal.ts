import { type Effect, JournalClient } from "./journal-client.ts";

/** A place in the journals of all simulator processes. */
export type JournalPosition = readonly number[];

/** The journals of all simulator processes as one: what moved, by the devices' own word. */
export class CityJournal {
  readonly #journals: readonly JournalClient[];

  constructor(controls: readonly { readonly host: string; readonly port: number }[]) {
    this.#journals = controls.map((control) => new JournalClient(control));
  }

  position(): Promise<JournalPosition> {
    return Promise.all(this.#journals.map((journal) => journal.position()));
  }

  /** Every change in the devices since `position`, or since the start. @throws if a ring has lost any of them. */
  async since(position: JournalPosition = []): Promise<readonly Effect[]> {
    const pages = this.#journals.map((journal, index) => journal.since(position[index] ?? 0));
    return (await Promise.all(pages)).flatMap(({ effects }) => effects);
  }
}
