import { LINE_COUNT_NAMES, LINE_COUNTS, type LineHealthFigures } from "../../../domain/line/line-health.ts";
import type { BusAnswer, UnitAnswer } from "../../local-api/client/answers.ts";
import { type Cell, formatTable, plain } from "../format-table.ts";
import { formatSpan } from "../format-value.ts";
import type { Palette } from "../paint.ts";

/** A line busier than this keeps nobody's interval. */
const FULL = 0.95;
/** A line worse than this wants a person. */
const WELL_PERCENT = 98;
/** A class that reaches no more than this times its interval is late. */
const LATE = 1.5;

export function formatBuses(buses: readonly BusAnswer[], colours: Palette): string {
  const rows = buses.map((bus): readonly Cell[] => [
    bus.id,
    bus.driver,
    { text: bus.state, paint: bus.state === "open" ? colours.good : colours.bad },
    bus.occupancy === null ? "–" : percent(bus.occupancy),
    bus.exchangesPerSecond === null ? "–" : `${bus.exchangesPerSecond.toFixed(1)} /s`,
    score(bus.health, colours),
    `${bus.units.filter(({ state }) => state === "silent").length} of ${bus.units.length}`,
    String(advice(bus).length),
  ]);
  const table = formatTable(
    ["BUS", "DRIVER", "STATE", "BUSY", "EXCHANGES", "LINE HEALTH", "SILENT UNITS", "TO DO"],
    rows,
  );
  const busy = buses.filter((bus) => advice(bus).length > 0);
  const more = busy.map(({ id }) => `  nerve buses ${id}\n`).join("");
  return busy.length === 0 ? table : `${table}\nWhat to do:\n${more}`;
}

export function formatBus(bus: BusAnswer, colours: Palette): string {
  const head = plain(`${bus.id}, driver ${bus.driver}, field host ${bus.fieldHost}, ${bus.state}`);
  const busy =
    bus.occupancy === null
      ? ""
      : `busy     ${percent(bus.occupancy)}, ${(bus.exchangesPerSecond ?? 0).toFixed(1)} exchanges a second\n`;
  const health = bus.health === null ? "" : `line     ${healthText(bus.health)}\n`;
  const rows = bus.units.flatMap((unit) => unitRows(unit, colours));
  const table = formatTable(["UNIT", "STATE", "LINE SHARE", "CLASS", "ASKED", "REACHED", "HOLES"], rows);
  const todo = advice(bus).map((line) => `  - ${plain(line)}\n`);
  const next = todo.length === 0 ? "Nothing to do.\n" : `What to do:\n${todo.join("")}`;
  return `${head}\n${busy}${health}\n${table}\n${next}`;
}

function unitRows(unit: UnitAnswer, colours: Palette): readonly (readonly Cell[])[] {
  const { unitAddress, state, failures, lineShare, holes, intervals, subscription } = unit;
  const paint = state === "answering" ? colours.good : colours.bad;
  const first: readonly Cell[] = [
    unitAddress,
    { text: state === "silent" ? `silent (${failures} misses)` : state, paint },
    percent(lineShare),
  ];
  const classes = intervals.map(({ pollClass, askedMs, reachedMs }): readonly Cell[] => {
    const isLate = reachedMs !== null && reachedMs > askedMs * LATE;
    const reached = reachedMs === null ? "–" : formatSpan(reachedMs);
    return [pollClass, formatSpan(askedMs), isLate ? { text: reached, paint: colours.bad } : reached];
  });
  const told: readonly (readonly Cell[])[] =
    subscription === null ? [] : [[`${subscription.points} points told by itself`, "", subscription.state]];
  const found =
    holes.length === 0
      ? "none"
      : holes.slice(0, 4).join(", ") + (holes.length > 4 ? ` … (${holes.length})` : "");
  const lines = [...classes, ...told];
  if (lines.length === 0) return [[...first, "", "", "", found]];
  return lines.map((line, index) => (index === 0 ? [...first, ...line, found] : ["", "", "", ...line, ""]));
}

/** What a person should do about a bus, the most urgent first; empty: nothing. */
export function advice(bus: BusAnswer): readonly string[] {
  return [
    ...stateAdvice(bus),
    ...wrongDevices(bus),
    ...silentUnits(bus),
    ...lineAdvice(bus.health),
    ...loadAdvice(bus),
  ];
}

function stateAdvice({ id, state }: BusAnswer): readonly string[] {
  if (state === "lost" || state === "opening") {
    return [
      `the line of ${id} can not be opened: check cable, address and power of what it leads to, and the log for the reason`,
    ];
  }
  return state === "host-down" ? ["its field host is down and is started again: see the log for why"] : [];
}

function wrongDevices({ units }: BusAnswer): readonly string[] {
  return units.flatMap(({ wrongDevices }) =>
    wrongDevices.map(
      ({ deviceId, why }) =>
        `${deviceId} is another device than its profile says (${why}): check unit address and profile in the site file; it is asked again by itself`,
    ),
  );
}

function silentUnits({ state, units }: BusAnswer): readonly string[] {
  if (state !== "open") return [];
  const silent = units.filter((unit) => unit.state === "silent");
  if (silent.length === 0) return [];
  if (silent.length === units.length && units.length > 1) {
    return ["no unit answers: check the polarity and termination of the line, its speed and parity"];
  }
  const names = silent.map(({ unitAddress }) => unitAddress).join(", ");
  return [
    `unit ${names} does not answer: check its power, its address and its stub; it is asked again every minute at the latest`,
  ];
}

function lineAdvice(health: LineHealthFigures | null): readonly string[] {
  if (health === null) return [];
  const isIll = health.scorePercent !== null && health.scorePercent < WELL_PERCENT;
  const found: readonly (readonly [number | undefined, string])[] = [
    [
      health.crcErrors,
      "answers arrive broken (CRC): check termination, shield, speed and parity of the line",
    ],
    [health.shortFrames, "answers are cut short: check speed and parity, and the interface's latency"],
    [
      health.lateReplies,
      "answers come after their time-out: raise requestTimeout of the bus in the site file",
    ],
    [
      health.unexpectedSenders,
      "somebody answers who was not asked: two units have one address, or a second gateway is on the line",
    ],
  ];
  return [
    ...health.hints,
    ...(isIll ? found.filter(([count = 0]) => count > 0).map(([, text]) => text) : []),
  ];
}

function loadAdvice({ occupancy, units }: BusAnswer): readonly string[] {
  if (occupancy === null || occupancy < FULL) return [];
  const dearest = units.toSorted((left, right) => right.lineShare - left.lineShare).at(0);
  const who =
    dearest === undefined
      ? ""
      : `; unit ${dearest.unitAddress} takes most of it (${percent(dearest.lineShare)})`;
  return [`the line is full${who}: lengthen pollIntervals of the bus, or move units to another line`];
}

function healthText(health: LineHealthFigures): string {
  const seen = LINE_COUNT_NAMES.filter((count) => health[count] !== undefined && count !== "requests");
  const counts = seen.map((count) => `${health[count]} ${LINE_COUNTS[count].text}`).join(", ");
  const share =
    health.scorePercent === null ? "not judged yet" : `${health.scorePercent} % of the last 5 min well`;
  return `${share}; ${counts} of ${health.requests} requests`;
}

function score(health: LineHealthFigures | null, colours: Palette): Cell {
  if (health === null || health.scorePercent === null) return "–";
  const paint = health.scorePercent >= WELL_PERCENT ? colours.good : colours.bad;
  return { text: `${health.scorePercent} %`, paint };
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
