import { createHash } from "node:crypto";
import type { IncarnationId } from "../../domain/ids.ts";
import { decodeEntry, encodeEntry } from "../../domain/wire/entry.ts";
import type { TimeQuality } from "../../domain/wire/points-block.ts";
import {
  decodeEvidenceRecord,
  type EvidenceBody,
  encodeEvidenceRecord,
} from "../../domain/wire/record-kinds.ts";
import type { CriticalFile, CriticalStatement } from "./critical-file.ts";
import type { StoreDatabase } from "./database.ts";
import { LANE_CODES } from "./incarnations.ts";
import type { EvidenceStore } from "./store.ts";

/** What the first record of a store follows. */
const CHAIN_START = "0".repeat(64);

/** The times a record is stamped with. */
export interface Stamp {
  readonly tWall: number;
  readonly tMono: number;
  readonly tq: TimeQuality;
}

/** Lane A. Counter and chain are read in the transaction that writes them: memory can not disagree with the disk. */
export class EvidenceLog implements EvidenceStore {
  readonly #file: CriticalFile;
  readonly #incarnation: { readonly number: number; readonly id: IncarnationId };
  readonly #stamp: () => Stamp;
  #highest = 0;
  readonly #listeners = new Set<() => void>();
  readonly #count: CriticalStatement<{ highest: number }>;
  readonly #insert: CriticalStatement<never>;
  readonly #lastHash: CriticalStatement<{ hash: string }>;
  readonly #setLastHash: CriticalStatement<never>;

  constructor(
    file: CriticalFile,
    incarnation: { readonly number: number; readonly id: IncarnationId },
    stamp: () => Stamp,
  ) {
    this.#file = file;
    this.#incarnation = incarnation;
    this.#stamp = stamp;
    this.#count = file.statement(
      "insert into counters values (?, ?, 1) on conflict do update set highest = highest + 1 returning highest",
    );
    this.#insert = file.statement("insert into entries_a values (?, ?, 1, ?)");
    this.#lastHash = file.statement("select hash from chain where edge = 'last'");
    this.#setLastHash = file.statement(
      "insert into chain values ('last', ?) on conflict do update set hash = excluded.hash",
    );
  }

  /** Sequence of the last record of this opening. */
  get highest(): number {
    return this.#highest;
  }

  append(body: EvidenceBody): void {
    this.appendWith(body, () => undefined);
  }

  /** The record and what `work` writes, in one commit (I30). @throws {StoreError} `not-durable` */
  appendWith(body: EvidenceBody, work: () => void): void {
    this.#file.transaction(() => {
      work();
      this.#insertRecord(body);
    }, "evidence");
    for (const hint of this.#listeners) hint();
  }

  onAppend(hint: () => void): () => void {
    this.#listeners.add(hint);
    return () => this.#listeners.delete(hint);
  }

  #insertRecord(body: EvidenceBody): void {
    const { number, id } = this.#incarnation;
    const first = this.#count.get(number, LANE_CODES.A)?.highest ?? 0;
    this.#highest = first;
    const previousHash = this.#lastHash.get()?.hash ?? CHAIN_START;
    const record = encodeEvidenceRecord({ ...this.#stamp(), previousHash, body });
    const frame = encodeEntry({
      incarnation: id,
      lane: "A",
      range: { first, count: 1 },
      kind: "record",
      body: record,
    });
    this.#insert.run(number, first, frame);
    this.#setLastHash.run(hashRecord(record));
  }
}

/** SHA-256 of a record's JSON, hexadecimal. */
function hashRecord(record: Uint8Array): string {
  return createHash("sha256").update(record).digest("hex");
}

interface EvidenceRow {
  readonly incarnation: number;
  readonly first_seq: number;
  readonly frame: Uint8Array;
}

/** Walks lane A from its oldest retained record. Returns the first place where it does not hold, for people. */
export function findChainBreak(database: StoreDatabase): string | undefined {
  const edges = new Map(
    database
      .prepare<[], { edge: string; hash: string }>("select edge, hash from chain")
      .all()
      .map(({ edge, hash }) => [edge, hash]),
  );
  const rows = database
    .prepare<[], EvidenceRow>(
      "select incarnation, first_seq, frame from entries_a order by incarnation, first_seq",
    )
    .iterate();
  let expected = edges.get("first") ?? CHAIN_START;
  let next = { incarnation: 0, sequence: 0 };
  for (const row of rows) {
    const place = `record ${row.first_seq} of opening ${row.incarnation}`;
    if (row.incarnation === next.incarnation && row.first_seq !== next.sequence)
      return `${place} follows a missing one`;
    next = { incarnation: row.incarnation, sequence: row.first_seq + 1 };
    const link = readLink(row.frame);
    if (link === undefined) return `${place} can not be read`;
    if (link.previous !== expected) return `${place} does not follow the one before it`;
    expected = link.hash;
  }
  return expected === (edges.get("last") ?? CHAIN_START) ? undefined : "the newest records are missing";
}

function readLink(frame: Uint8Array): { readonly previous: string; readonly hash: string } | undefined {
  try {
    const { body } = decodeEntry(frame);
    return { previous: decodeEvidenceRecord(body).previousHash, hash: hashRecord(body) };
  } catch {
    return undefined;
  }
}
