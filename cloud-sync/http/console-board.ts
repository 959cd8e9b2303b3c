import type { Logger } from "pino";
import type { GatewayId } from "../../domain/ids.ts";
import { type CancelTimer, type Clock, Millis, Seconds, since, type Uptime } from "../../domain/time.ts";
import type { LiveLink, LiveLinks } from "../registry/live-links.ts";
import type { CenterEvents } from "../store/center-events.ts";
import type { Database } from "../store/database.ts";
import { PlaceLevels } from "./console-levels.ts";
import { buildPlaces, type PlaceIndex } from "./console-places.ts";

export interface ConsoleBoardParts {
  readonly database: Database;
  readonly events: CenterEvents;
  readonly links: LiveLinks;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What moved since the last tick, already read: one read for all viewers. */
export interface BoardChanges {
  readonly index: PlaceIndex;
  readonly levels: PlaceLevels;
  /** Places that look otherwise than before. */
  readonly places: readonly number[];
  readonly gateways: ReadonlySet<GatewayId>;
  /** `<gateway>/<device>` of every device with a point that moved. */
  readonly devices: ReadonlySet<string>;
  readonly commands: ReadonlyMap<string, GatewayId>;
  readonly catalogue: "same" | "changed";
  /** The list of alarms, not the points behind them. */
  readonly alarms: "same" | "changed";
}

/** A point is told at most twice a second, and all that moved goes in one message. */
export const BOARD_TICK = Millis(500);
/** Read in one tick; the rest waits for the next. */
const READ_MAX = 8_000;
const COMMANDS_MAX = 2_000;
/**
 * Catalogues come one after the other when a center starts, and then the states of all their points: the index is built
 * once both are through, which nobody waits for unless he looks before.
 */
const WARM_AFTER = Seconds(20);
/** A hint that was missed costs at most this long. */
const REREAD_PERIOD = Seconds(60);

/**
 * Places and levels for every console that is open: read once, whoever looks. It listens only while somebody looks;
 * who comes first reads everything.
 */
export class ConsoleBoard {
  readonly #parts: ConsoleBoardParts;
  readonly #viewers = new Set<(changes: BoardChanges) => void>();
  #held: { readonly index: PlaceIndex; readonly levels: PlaceLevels; readAt: Uptime | null } | undefined;
  #catalogue: "same" | "changed" = "same";
  #places = new Set<number>();
  #gateways = new Set<GatewayId>();
  #devices = new Set<string>();
  #commands = new Map<string, GatewayId>();
  #alarms: "same" | "changed" = "same";
  #stops: readonly (() => void)[] = [];
  #cancel: CancelTimer = () => undefined;
  #cancelWarm: CancelTimer = () => undefined;
  readonly #forget: () => void;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: ConsoleBoardParts) {
    this.#parts = parts;
    // Alone among the hints it is heard always: an old index would answer for devices that are gone.
    this.#forget = parts.events.on("catalogue-changed", () => {
      this.#catalogue = "changed";
      this.#warmSoon(WARM_AFTER);
    });
  }

  /** Builds the index before anybody asks, so that the first console does not wait for it. */
  open(): void {
    this.#warmSoon(Millis(0));
  }

  close(): void {
    this.#forget();
    this.#cancelWarm();
    this.#viewers.clear();
    this.#rest();
  }

  get viewers(): number {
    return this.#viewers.size;
  }

  /** The index as the catalogues are now. */
  index(): Promise<PlaceIndex> {
    return this.#inTurn(async () => (await this.#hold()).index);
  }

  /** Index and levels of one moment, read anew unless they are being followed. */
  levels(): Promise<{ readonly index: PlaceIndex; readonly levels: PlaceLevels }> {
    return this.#inTurn(async () => {
      const held = await this.#hold();
      if (this.#viewers.size === 0 || held.readAt === null) await this.#readAll();
      return held;
    });
  }

  /** Calls `viewer` at most every 500 ms, only when something moved. Returns the way to leave. */
  follow(viewer: (changes: BoardChanges) => void): () => void {
    this.#viewers.add(viewer);
    if (this.#viewers.size === 1) this.#listen();
    return () => {
      this.#viewers.delete(viewer);
      if (this.#viewers.size === 0) this.#rest();
    };
  }

  /** The link and the sweeps of a gateway as this process heard them. Times by the center's clock. */
  linkOf(id: GatewayId): {
    readonly state: "up" | "degraded" | "down";
    readonly sweeps: readonly (readonly [number, number])[];
  } {
    const { links, clock } = this.#parts;
    const link = links.find(id);
    const [now, uptime] = [clock.now(), clock.uptime()];
    const sweeps = [...(link?.sweeps ?? [])].map(
      ([sweep, at]) => [sweep, Math.round(now - since(at, uptime))] as const,
    );
    return { state: link?.state ?? "down", sweeps };
  }

  /** The state of a gateway's link, with the session in which this process hears it. */
  liveLink(id: GatewayId): Pick<LiveLink, "state" | "session"> | undefined {
    return this.#parts.links.find(id);
  }

  #warmSoon(after: Millis): void {
    this.#cancelWarm();
    this.#cancelWarm = this.#parts.clock.schedule(after, () => {
      this.index().catch((err: unknown) => {
        this.#parts.logger.error(
          { err },
          "the console's places could not be read: the next console tries again",
        );
      });
    });
  }

  #listen(): void {
    const { events } = this.#parts;
    this.#stops = [
      events.on("state-changed", ({ gatewayId, pointIds }) => this.#note(gatewayId, pointIds)),
      events.on("heartbeat-arrived", ({ gatewayId }) => void this.#gateways.add(gatewayId)),
      events.on("session-activated", ({ gatewayId }) => void this.#gateways.add(gatewayId)),
      events.on("link-changed", ({ gatewayId }) => void this.#gateways.add(gatewayId)),
      events.on("alarms-changed", () => this.#noteAlarms()),
      events.on("alarm-raised", () => this.#noteAlarms()),
      events.on("command-changed", ({ gatewayId, commandId }) => this.#noteCommand(commandId, gatewayId)),
      events.on("evidence-arrived", ({ gatewayId, commandIds }) => {
        for (const id of commandIds) this.#noteCommand(id, gatewayId);
      }),
    ];
    this.#tickAgain();
  }

  #rest(): void {
    this.#cancel();
    for (const stop of this.#stops) stop();
    this.#stops = [];
    if (this.#held !== undefined) this.#held.readAt = null;
    this.#takeNoted();
  }

  #note(gatewayId: GatewayId, pointIds: readonly string[]): void {
    for (const pointId of pointIds) {
      const device = `${gatewayId}/${pointId.slice(0, pointId.indexOf("/"))}`;
      if (this.#devices.has(device)) continue;
      this.#devices.add(device);
      const place = this.#held?.index.placeOf.get(device);
      if (place !== undefined) this.#places.add(place);
    }
  }

  #noteAlarms(): void {
    this.#alarms = "changed";
  }

  #noteCommand(id: string, gatewayId: GatewayId): void {
    if (this.#commands.size < COMMANDS_MAX) this.#commands.set(id, gatewayId);
  }

  #tickAgain(): void {
    this.#cancel = this.#parts.clock.schedule(BOARD_TICK, () => {
      this.#inTurn(() => this.#tick())
        .catch((err: unknown) => {
          this.#parts.logger.error({ err }, "open consoles could not be told: they are at the next tick");
        })
        .finally(() => {
          if (this.#viewers.size > 0) this.#tickAgain();
        });
    });
  }

  async #tick(): Promise<void> {
    const catalogue = this.#catalogue;
    const held = await this.#hold();
    const noted = this.#takeNoted();
    let moved: readonly number[];
    if (held.readAt === null || since(held.readAt, this.#parts.clock.uptime()) > REREAD_PERIOD) {
      moved = await this.#readAll();
    } else {
      moved = noted.places.length === 0 ? [] : await held.levels.read(this.#parts.database, noted.places);
    }
    const { gateways, devices, commands, alarms } = noted;
    const sizes = [moved.length, gateways.size, devices.size, commands.size];
    if (catalogue === "same" && alarms === "same" && sizes.every((size) => size === 0)) return;
    const changes = { ...held, places: moved, gateways, devices, commands, catalogue, alarms };
    for (const viewer of this.#viewers) viewer(changes);
  }

  /** What was noted, in pieces that one tick can read. */
  #takeNoted() {
    const places = [...this.#places].slice(0, READ_MAX);
    const [gateways, devices, commands] = [this.#gateways, this.#devices, this.#commands];
    const alarms = this.#alarms;
    this.#alarms = "same";
    this.#places = new Set([...this.#places].slice(READ_MAX));
    this.#gateways = new Set();
    this.#devices = new Set();
    this.#commands = new Map();
    return { places, gateways, devices, commands, alarms };
  }

  async #hold() {
    if (this.#held === undefined || this.#catalogue === "changed") {
      this.#catalogue = "same";
      const index = await buildPlaces(this.#parts.database).catch((cause: unknown) => {
        this.#catalogue = "changed";
        throw cause;
      });
      if (index.tag !== this.#held?.index.tag) {
        this.#held = { index, levels: new PlaceLevels(index), readAt: null };
        this.#places.clear();
      }
    }
    if (this.#held === undefined) throw new Error("read the places of the console");
    return this.#held;
  }

  async #readAll(): Promise<readonly number[]> {
    const held = await this.#hold();
    const all = Array.from({ length: held.index.count }, (_, place) => place);
    const moved = await held.levels.read(this.#parts.database, all);
    held.readAt = this.#parts.clock.uptime();
    return moved;
  }

  /** One reader of the database at a time: viewers that come together share one reading. */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work, work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
