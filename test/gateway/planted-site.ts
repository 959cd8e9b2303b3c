import { basename, join } from "node:path";
import type { Test } from "tap";
import { loadSite, PRODUCT_SOURCES } from "../../gateway/site/load-site.ts";
import type { UnnumberedSite } from "../../gateway/site/site.ts";
import { SiteFileError, type SiteProblem } from "../../gateway/site/site-file-error.ts";

/** Marks in a planted file where the cursor is to go; taken out before the file is written. */
const CURSOR = "‸";

/** Text of a site file with one bus and these devices. */
export function siteText(devices: string, bus = ""): string {
  return [
    "site: { id: old-town, name: Old town }",
    "gateway: gw-1",
    "dataFolder: data",
    "profiles: [own]",
    "buses:",
    "  - { id: bridge, driver: modbus, transport: tcp, host: 127.0.0.1, port: 1502 }",
    ...(bus === "" ? [] : [bus]),
    "devices:",
    devices,
    "",
  ].join("\n");
}

/** One lamp of the shipped profile, in one line; `more` is put in verbatim. */
export const lamp = (id: string, shortAddress: number, more = ""): string =>
  `  - { id: ${id}, profile: intesis-dali-lamp, bus: bridge, unit: 1, parameters: { shortAddress: ${shortAddress} }${more} }`;

/** A profile `meter-x` with these points; `more` are lines before them. */
export function profileText(points: string, more = ""): string {
  const head = ["id: meter-x", "title: A meter", "class: meter", "driver: modbus"];
  return [...head, ...(more === "" ? [] : [more]), "points:", points, ""].join("\n");
}

/** A good point in one line, with `changes` as last keys. */
export const point = (name: string, register: number | string, more = ""): string =>
  `  - { name: ${name}, type: number, unit: W, access: read, address: { table: holding, register: ${register} }, deadband: 1, pollClass: meter, maxAge: 5 min, source: "Meter manual, p. 3"${more} }`;

/** A good point that is written and proves itself. */
export const writtenPoint = (name: string, register: number, more = ""): string =>
  `  - { name: ${name}, type: number, unit: W, access: read-write, range: { min: 0, max: 9 }, commandClass: K1, readBack: { point: ${name}, tolerance: 0, within: 1 s }, address: { table: holding, register: ${register} }, deadband: 1, pollClass: meter, maxAge: 5 min, source: "Meter manual, p. 3"${more} }`;

/** A device of {@link profileText}. */
export const METER = "  - { id: m-1, profile: meter-x, bus: bridge, unit: 1 }";

export interface Planted {
  readonly site: string;
  /** `own/meter-x.yaml`, if the site has one. */
  readonly profile?: string;
}

export async function load(t: Test, planted: Planted): Promise<UnnumberedSite> {
  const clean = (text: string): string => text.replaceAll(CURSOR, "");
  const own = planted.profile === undefined ? {} : { "meter-x.yaml": clean(planted.profile) };
  const folder = t.testdir({ "site.yaml": clean(planted.site), own });
  return await loadSite(join(folder, "site.yaml"), PRODUCT_SOURCES);
}

export async function problemsOf(t: Test, planted: Planted): Promise<readonly SiteProblem[]> {
  try {
    await load(t, planted);
  } catch (error) {
    if (error instanceof SiteFileError) return error.problems;
    throw error;
  }
  return [];
}

export interface RefusedCase extends Planted {
  readonly name: string;
  /** Pointers of the problems, in order; each file marks the place with a cursor. */
  readonly pointers: readonly string[];
  /** What the first problem says. */
  readonly says: RegExp;
}

export function proveRefused(t: Test, planted: RefusedCase): void {
  t.test(`${planted.name} stops the start, at its place`, async (t) => {
    const problems = await problemsOf(t, planted);
    const where = problems.map(({ file, line, column }) => `${basename(file)}:${line}:${column}`);
    const cursors = cursorsOf(planted);
    t.strictSame(
      problems.map(({ pointer }) => pointer),
      planted.pointers,
    );
    t.ok(cursors.length > 0, "the case says where");
    t.strictSame(where.slice(0, cursors.length), cursors);
    const [first] = problems;
    t.match(`found ${first?.found}, expected ${first?.expected}: ${first?.remedy}`, planted.says);
    t.not(first?.remedy, "", "an operator is told what to do");
  });
}

/** `site.yaml:9:5` for each mark, in the order of the problems: the site first. */
function cursorsOf(planted: Planted): readonly string[] {
  const of = (file: string, text: string): readonly string[] =>
    text
      .split("\n")
      .flatMap((line, index) =>
        line.includes(CURSOR) ? [`${file}:${index + 1}:${line.indexOf(CURSOR) + 1}`] : [],
      );
  return [...of("site.yaml", planted.site), ...of("meter-x.yaml", planted.profile ?? "")];
}
