import { QUALITIES, QUALITY_CAUSES, type Quality, type QualityCause } from "../../../domain/quality.ts";
import type { PointValue } from "../../../domain/reading.ts";

/** A value and its quality as `readings` and `point_states` hold them. */
export interface ValueColumns {
  /** 0 none, 1 number, 2 boolean (0 or 1), 3 text. */
  readonly value_kind: number;
  readonly value_number: number | null;
  readonly value_text: string | null;
  readonly quality: number;
  readonly cause: number;
}

export interface QualifiedValue {
  readonly value: PointValue | null;
  readonly quality: Quality;
  readonly cause: QualityCause;
}

const QUALITY_CODES = new Map<string, number>(QUALITIES.map((name, code) => [name, code]));
const CAUSE_CODES = new Map<string, number>(QUALITY_CAUSES.map((name, code) => [name, code]));

export function toColumns({ value, quality, cause }: QualifiedValue): ValueColumns {
  const codes = { quality: QUALITY_CODES.get(quality) ?? 0, cause: CAUSE_CODES.get(cause) ?? 0 };
  if (value === null) return { value_kind: 0, value_number: null, value_text: null, ...codes };
  if (typeof value === "string") return { value_kind: 3, value_number: null, value_text: value, ...codes };
  const value_kind = typeof value === "boolean" ? 2 : 1;
  return { value_kind, value_number: Number(value), value_text: null, ...codes };
}

export function fromColumns(row: ValueColumns): QualifiedValue {
  const quality = QUALITIES[row.quality];
  const cause = QUALITY_CAUSES[row.cause];
  if (quality === undefined || cause === undefined) {
    throw new RangeError(`quality code ${row.quality} or cause code ${row.cause} is of a newer center`);
  }
  return { value: cellValue(row), quality, cause };
}

function cellValue(row: ValueColumns): PointValue | null {
  if (row.value_kind === 3) return row.value_text;
  if (row.value_kind === 2) return row.value_number === 1;
  return row.value_kind === 1 ? row.value_number : null;
}
