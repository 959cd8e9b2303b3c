import type { GatewayId } from "../../domain/ids.ts";
import type { BoardChanges } from "./console-board.ts";
import { NOWHERE, type PlaceIndex } from "./console-places.ts";

/** What one console looks at. Nothing else is sent to it. */
export interface ViewFilter {
  /** Names of device classes; empty: all. */
  readonly classes: ReadonlySet<string>;
  /** West, south, east, north in degrees; null: everywhere. */
  readonly box: readonly [number, number, number, number] | null;
  /** `<gateway>/<device>` of the open device page; null: none. */
  readonly device: string | null;
}

/** A server-sent event. */
export interface ViewMessage {
  readonly event: "levels" | "gateways" | "device" | "commands" | "places" | "alarms";
  readonly data: object;
}

export interface GatewayLink {
  readonly id: GatewayId;
  readonly state: "up" | "degraded" | "down";
  readonly sweeps: readonly (readonly [number, number])[];
}

const MICRO = 1e6;

/** The messages by which a console with this filter learns of `changes`. At most one of each kind. */
export function messagesFor(
  filter: ViewFilter,
  changes: BoardChanges,
  context: { readonly nowMs: number; readonly linkOf: (id: GatewayId) => Omit<GatewayLink, "id"> },
): readonly ViewMessage[] {
  const { nowMs, linkOf } = context;
  const messages: ViewMessage[] = [];
  const { index, levels } = changes;
  if (changes.catalogue === "changed") messages.push({ event: "places", data: { tag: index.tag } });
  const places = changes.places.filter((place) => isInView(filter, index, place));
  if (places.length > 0)
    messages.push({ event: "levels", data: { tag: index.tag, nowMs, ...levels.columns(places) } });
  if (changes.gateways.size > 0) {
    const gateways = [...changes.gateways].map((id) => ({ id, ...linkOf(id) }));
    messages.push({ event: "gateways", data: { nowMs, gateways } });
  }
  if (filter.device !== null && changes.devices.has(filter.device))
    messages.push({ event: "device", data: { device: filter.device } });
  if (changes.commands.size > 0) {
    const commands = [...changes.commands].map(([id, gateway]) => ({ id, gateway }));
    messages.push({ event: "commands", data: { commands } });
  }
  if (changes.alarms === "changed") messages.push({ event: "alarms", data: {} });
  return messages;
}

function isInView(filter: ViewFilter, index: PlaceIndex, place: number): boolean {
  const name = index.classNames[index.classOf[place] ?? -1] ?? "";
  if (filter.classes.size > 0 && !filter.classes.has(name)) return false;
  if (filter.box === null) return true;
  const [lon, lat] = [index.lon[place] ?? NOWHERE, index.lat[place] ?? NOWHERE];
  const [west, south, east, north] = filter.box;
  return lon >= west * MICRO && lon <= east * MICRO && lat >= south * MICRO && lat <= north * MICRO;
}
