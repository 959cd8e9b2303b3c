import type { PointId } from "../../domain/ids.ts";
import { READ_POINTS_MAX } from "../../domain/wire/fresh-read.ts";
import type { CommandRecord, ResolutionEvidence } from "../dispatch/command-record.ts";
import type { FreshReads } from "../dispatch/fresh-reads.ts";
import type { CommandPreviews, PreviewView } from "./command-preview.ts";

/**
 * How a command's point and what proves it stand now: read on the bus for this (K0), and where that can not be, as it was
 * told last, each with its age. The center asks by itself, so that nobody resolves by what he wishes to have seen.
 */
export async function readEvidence(
  parts: { readonly previews: CommandPreviews; readonly reads: FreshReads },
  { gatewayId, pointId }: Pick<CommandRecord, "gatewayId" | "pointId">,
  by: string,
): Promise<ResolutionEvidence> {
  const { previews, reads } = parts;
  const told = proving(await previews.find(gatewayId, pointId));
  if (told.length === 0) return { outcome: "not-answered", points: [] };
  const end = await reads.read({ gatewayId, pointIds: told.map((point) => point.pointId as PointId), by });
  if (end.kind !== "answered") return { outcome: end.kind, points: told.map(asTold) };
  const read = new Map(end.findings.map((finding) => [finding.pointId, finding]));
  const points = told.map((point) => {
    const finding = read.get(point.pointId);
    if (finding === undefined || finding.value === null) return asTold(point);
    const { value, quality } = finding;
    return { pointId: point.pointId, value, quality, source: "read", ageMs: Math.round(end.took) } as const;
  });
  return { outcome: "read", points };
}

function asTold(point: PreviewView["points"][number]): ResolutionEvidence["points"][number] {
  const { pointId, value, quality, source, confirmedAgeMs: ageMs } = point;
  return { pointId, value, quality, source, ageMs };
}

function proving(view: PreviewView | undefined): PreviewView["points"] {
  return (view?.points ?? []).filter(({ role }) => role !== "interlock").slice(0, READ_POINTS_MAX);
}
