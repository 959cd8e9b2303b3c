import { closeSync, openSync, writeSync } from "node:fs";
import type { SimulatorClock } from "./clock.ts";
import type { WriteRequest } from "./modbus/register-bank.ts";

/** The wire request behind an entry, as it can be found in a capture. */
export interface JournalRequest {
  readonly connection: number;
  readonly transaction: number;
  readonly unit: number;
  readonly function: number;
  /** Zero-based, as in the PDU. */
  readonly address: number;
  readonly values: readonly number[];
}

/** An order in another protocol than Modbus, as it can be found in a capture. */
export interface JournalOrder {
  /** `osdp`, `opcua`, `firmata`, … */
  readonly protocol: string;
  /** What was asked, in the protocol's own words: `OUT`, `SetPlan`. */
  readonly what: string;
  readonly values: readonly (number | string | boolean)[];
}

/** `executed` also when nothing changed; else why nothing could: `frozen`, `exception-3`, `fault-silent`, … */
export type WriteOutcome = string;

/** What set an effect off: a Modbus request or another order from the wire, a hand on the control API, or the device's own rule. */
export type EffectCause =
  | { readonly by: "request"; readonly writeSeq: number; readonly request: JournalRequest }
  | { readonly by: "order"; readonly orderSeq: number; readonly order: JournalOrder }
  | { readonly by: "control"; readonly action: string }
  | { readonly by: "device"; readonly rule: string };

/** One thing that changed in the simulated world. */
export interface DeviceChange {
  readonly device: string;
  /** This device's own count of effects, from 1 without gap. */
  readonly deviceSeq: number;
  /** `level` is a lamp's light, `contactor-3` a contact in a cabinet; the rest are settings and conditions. */
  readonly what: string;
  /**
   * In the unit of the register that shows it: whole % for levels and scenes (-1: no scene), codes for the rest,
   * 0 and 1 for contacts.
   */
  readonly from: number;
  readonly to: number;
  /** How long a `level` takes from `from` to `to`, from the entry's time. 0 for everything else. */
  readonly fadeMs: number;
}

/** A change of one lamp. */
export interface LampChange extends DeviceChange {
  /** The same as `device`; what has no such member is no lamp. */
  readonly lamp: string;
}

interface Stamp {
  /** Position in the journal, from 1 without gap. */
  readonly seq: number;
  /** The socket or line it came over: a bridge, a cabinet in which bridge, controller and meter share one, a device. */
  readonly bridge: string;
  readonly wallMs: number;
  /** On CLOCK_MONOTONIC, comparable between processes of one boot. */
  readonly monotonicMs: number;
}

export type WriteEntry = Stamp & {
  readonly kind: "write";
  readonly request: JournalRequest;
  readonly outcome: WriteOutcome;
};
export type OrderEntry = Stamp & {
  readonly kind: "order";
  readonly order: JournalOrder;
  readonly outcome: WriteOutcome;
};
export type EffectEntry = Stamp &
  (DeviceChange | LampChange) & {
    readonly kind: "effect";
    readonly effectSeq: number;
    readonly cause: EffectCause;
  };
export type JournalEntry = WriteEntry | OrderEntry | EffectEntry;

export interface JournalQuery {
  /** Entries with a greater `seq`. Default 0: from the oldest kept. */
  readonly since?: number | undefined;
  /** The id of a lamp, a cabinet or a device: its effects, and no writes. */
  readonly device?: string | undefined;
  readonly bridge?: string | undefined;
  readonly kind?: JournalEntry["kind"] | undefined;
  /** At most so many, oldest first. Default 1,000. */
  readonly limit?: number | undefined;
}

export interface JournalPage {
  readonly entries: readonly JournalEntry[];
  /** The newest `seq` there is; poll on with `since` set to the last entry's. */
  readonly newest: number;
  /** Entries after `since` that the ring has already overwritten. Not 0: the answer is not the whole truth. */
  readonly overwritten: number;
}

export interface JournalOptions {
  readonly clock: SimulatorClock;
  /** Entries kept in memory; the oldest is overwritten. Default 20,000. */
  readonly capacity?: number | undefined;
  /** Where every entry is appended as a line of JSON before the request is answered. Absent: memory only. */
  readonly file?: string | undefined;
}

/**
 * The ground truth of every test: what arrived, and what changed because of it. One for all bridges of a process.
 * The file is written without buffer, so it survives a kill of the process, and it is the reader's to rotate.
 */
export class Journal implements Disposable {
  readonly #clock: SimulatorClock;
  readonly #capacity: number;
  readonly #file: string | undefined;
  readonly #ring: JournalEntry[] = [];
  #descriptor: number | undefined;
  #newest = 0;
  #effects = 0;

  constructor(options: JournalOptions) {
    this.#clock = options.clock;
    this.#capacity = options.capacity ?? 20_000;
    this.#file = options.file;
  }

  /** Opens the file, when there is one. @throws the system's error when it can not be appended to. */
  open(): this {
    if (this.#file !== undefined) this.#descriptor = openSync(this.#file, "a");
    return this;
  }

  get newest(): number {
    return this.#newest;
  }

  /** Effects since the start, all devices. */
  get effects(): number {
    return this.#effects;
  }

  /** A write that arrived and moved nothing. */
  recordWrite(bridge: string, write: WriteRequest, outcome: WriteOutcome): void {
    this.#append([this.#writeEntry(bridge, write, outcome)]);
  }

  /** A write that was executed, and all it changed at once, in one piece. Later consequences name what is returned. */
  recordExecution(bridge: string, write: WriteRequest, changes: readonly DeviceChange[]): EffectCause {
    const entry = this.#writeEntry(bridge, write, "executed");
    const cause: EffectCause = { by: "request", writeSeq: entry.seq, request: entry.request };
    this.#append([entry, ...changes.map((change) => this.#effectEntry(bridge, change, cause))]);
    return cause;
  }

  /** An order of another protocol, whatever became of it. Later consequences name what is returned. */
  recordOrder(
    bridge: string,
    told: {
      readonly order: JournalOrder;
      readonly outcome: WriteOutcome;
      readonly changes: readonly DeviceChange[];
    },
  ): EffectCause {
    const { order, outcome, changes } = told;
    const entry: OrderEntry = { ...this.#stamp(bridge), kind: "order", order, outcome };
    const cause: EffectCause = { by: "order", orderSeq: entry.seq, order };
    this.#append([entry, ...changes.map((change) => this.#effectEntry(bridge, change, cause))]);
    return cause;
  }

  /** What changed later than its cause, or without a write: by the control API, or by the device itself. */
  recordEffects(bridge: string, cause: EffectCause, changes: readonly DeviceChange[]): void {
    this.#append(changes.map((change) => this.#effectEntry(bridge, change, cause)));
  }

  query(query: JournalQuery): JournalPage {
    const since = query.since ?? 0;
    const limit = query.limit ?? 1_000;
    const oldest = Math.max(1, this.#newest - this.#capacity + 1);
    const entries: JournalEntry[] = [];
    for (let seq = Math.max(oldest, since + 1); seq <= this.#newest && entries.length < limit; seq += 1) {
      const entry = this.#ring[seq % this.#capacity];
      if (entry !== undefined && isAsked(entry, query)) entries.push(entry);
    }
    return { entries, newest: this.#newest, overwritten: Math.max(0, oldest - 1 - since) };
  }

  [Symbol.dispose](): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #stamp(bridge: string): Stamp {
    this.#newest += 1;
    return {
      seq: this.#newest,
      bridge,
      wallMs: this.#clock.wallMs(),
      monotonicMs: this.#clock.monotonicMs(),
    };
  }

  #writeEntry(bridge: string, write: WriteRequest, outcome: WriteOutcome): WriteEntry {
    const request = { ...write.origin, address: write.address, values: write.values };
    return { ...this.#stamp(bridge), kind: "write", request, outcome };
  }

  #effectEntry(bridge: string, change: DeviceChange, cause: EffectCause): EffectEntry {
    this.#effects += 1;
    return { ...this.#stamp(bridge), kind: "effect", effectSeq: this.#effects, ...change, cause };
  }

  #append(entries: readonly JournalEntry[]): void {
    for (const entry of entries) this.#ring[entry.seq % this.#capacity] = entry;
    if (this.#descriptor === undefined || entries.length === 0) return;
    writeWhole(this.#descriptor, Buffer.from(entries.map((entry) => `${JSON.stringify(entry)}\n`).join("")));
  }
}

function writeWhole(descriptor: number, bytes: Buffer): void {
  // A full disk throws and ends the simulator: without its journal it would be no witness.
  for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
}

function isAsked(entry: JournalEntry, query: JournalQuery): boolean {
  if (query.kind !== undefined && entry.kind !== query.kind) return false;
  if (query.bridge !== undefined && entry.bridge !== query.bridge) return false;
  return query.device === undefined || (entry.kind === "effect" && entry.device === query.device);
}
