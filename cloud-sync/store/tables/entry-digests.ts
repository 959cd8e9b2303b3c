import type { Lane, SequenceRange } from "../../../domain/lane.ts";
import type { Instant } from "../../../domain/time.ts";
import { numberArray, type Queryable, type Transaction } from "../database.ts";

/** What an entry's bytes were when they were stored. */
export interface EntryDigest {
  readonly range: SequenceRange;
  /** First 16 bytes of SHA-256 of the frame, hexadecimal. */
  readonly digest: string;
}

/** Stored entries that share a sequence with one of `ranges`. */
export async function findDigests(
  tx: Transaction,
  within: { readonly incarnationNo: number; readonly lane: Lane; readonly ranges: readonly SequenceRange[] },
): Promise<readonly EntryDigest[]> {
  const rows = await tx.query<{ first_seq: number; record_count: number; digest: Buffer }>(
    {
      name: "digest-find",
      text: `select distinct d.first_seq, d.record_count, d.digest
             from unnest($3::int8[], $4::int8[]) as r(first, past) join entry_digests d
               on d.incarnation_no = $1 and d.lane = $2 and d.first_seq > r.first - 1000 and d.first_seq < r.past
               and d.first_seq + d.record_count > r.first`,
    },
    [
      within.incarnationNo,
      within.lane,
      numberArray(within.ranges.map((range) => range.first)),
      numberArray(within.ranges.map((range) => range.first + range.count)),
    ],
  );
  return rows.map((row) => ({
    range: { first: row.first_seq, count: row.record_count },
    digest: row.digest.toString("hex"),
  }));
}

export async function addDigests(
  tx: Transaction,
  added: {
    readonly incarnationNo: number;
    readonly lane: Lane;
    readonly digests: readonly EntryDigest[];
    readonly at: Instant;
  },
): Promise<void> {
  if (added.digests.length === 0) return;
  await tx.query(
    {
      name: "digest-add",
      text: `insert into entry_digests (incarnation_no, lane, stored_at, first_seq, record_count, digest)
             select $1, $2, $3, d.first, d.count, decode(d.digest, 'hex')
             from unnest($4::int8[], $5::int4[], $6::text[]) as d(first, count, digest) on conflict do nothing`,
    },
    [
      added.incarnationNo,
      added.lane,
      new Date(added.at),
      numberArray(added.digests.map(({ range }) => range.first)),
      numberArray(added.digests.map(({ range }) => range.count)),
      added.digests.map(({ digest }) => digest),
    ],
  );
}

/** From then on a repeat of what was stored earlier is judged by its range alone. */
export async function dropDigestsBefore(db: Queryable, before: Instant): Promise<void> {
  await db.query({ name: "digest-drop", text: "delete from entry_digests where stored_at < $1" }, [
    new Date(before),
  ]);
}
