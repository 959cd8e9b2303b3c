import { createHash } from "node:crypto";
import { ProfileId } from "../../domain/ids.ts";
import type { PointDefinition, Scale } from "../../domain/point.ts";
import { DEVICE_CLASSES, type DeviceClass, type Profile } from "../../domain/profile.ts";
import type { Driver } from "../../drivers/driver.ts";
import { type DriverName, isDriverName } from "../../drivers/registry.ts";
import { checkProfile, unitRemedy } from "./check-profile.ts";
import { type AddressTemplate, DeviceProfile } from "./device-profile.ts";
import { LinearFormError, looksLikeLinearForm, parseLinearForm } from "./linear-form.ts";
import { PROFILE_SCHEMA, type WrittenPoint, type WrittenProfile } from "./profile-schema.ts";
import { keysOf } from "./source/json-pointer.ts";
import { findNearest } from "./source/nearest-word.ts";
import { type ProblemList, show } from "./source/problem-list.ts";
import { checkSchema } from "./source/schema-problems.ts";
import { readYaml, type YamlPath, type YamlSource } from "./source/yaml-source.ts";

export type LoadDriver = (name: DriverName) => Promise<Driver>;

/** A profile's file as it was found: its name without `.yaml` is the id it must have. */
export interface ProfileFile {
  readonly file: string;
  readonly id: string;
  readonly text: string;
}

/** Parses and checks a profile whole; `undefined` after telling all that is wrong with it. */
export async function loadProfile(
  { file, id, text }: ProfileFile,
  loadDriver: LoadDriver,
  problems: ProblemList,
): Promise<DeviceProfile | undefined> {
  const before = problems.size;
  const { source, problems: broken } = readYaml(file, text);
  for (const problem of broken) problems.addProblem(problem);
  if (source === null) return undefined;
  const written = checkSchema(PROFILE_SCHEMA, source.data, {
    source,
    at: [],
    problems,
    remedyOf: unitRemedy,
  });
  if (written === undefined || !isDriverName(written.driver) || !isDeviceClass(written.class))
    return undefined;
  if (written.id !== id) {
    const remedy = "rename the file, or mend the id: a profile is found by the name of its file";
    problems.add(source, ["id"], { found: written.id, expected: id, remedy });
  }
  checkProfile({ written, deviceClass: written.class }, source, problems);
  const templates = written.points.map((point, index) =>
    templateOf({ ...written.addressDefaults, ...point.address }, ["points", index, "address"], {
      written,
      source,
      problems,
    }),
  );
  if (problems.size > before) return undefined;
  const hash = createHash("sha256").update(text).digest("hex");
  const profile = profileOf(written, written.class, hash);
  const loaded = new DeviceProfile({ profile, source, driver: await loadDriver(written.driver) }, templates);
  checkCorners(loaded, problems);
  return problems.size > before ? undefined : loaded;
}

/** Tells addresses that the driver refuses, at their place in the profile. */
export function tellAddressFaults(
  loaded: DeviceProfile,
  resolved: ReturnType<DeviceProfile["resolve"]>,
  problems: ProblemList,
): void {
  for (const { point, pointer, expected, message } of resolved.faults) {
    const path = ["points", point, "address", ...keysOf(pointer)];
    problems.add(loaded.source, path, {
      found: foundIn(loaded.source.data, path),
      expected,
      remedy: message,
    });
  }
}

/** Addresses at the least and the greatest values of all parameters: between them a linear form holds no surprise. */
function checkCorners(loaded: DeviceProfile, problems: ProblemList): void {
  const parameters = Object.entries(loaded.profile.parameters);
  const corners = [
    Object.fromEntries(parameters.map(([name, { min }]) => [name, min])),
    Object.fromEntries(parameters.map(([name, { max }]) => [name, max])),
  ];
  for (const corner of corners) tellAddressFaults(loaded, loaded.resolve(corner, {}), problems);
}

function isDeviceClass(name: string): name is DeviceClass {
  return Object.hasOwn(DEVICE_CLASSES, name);
}

interface FormContext {
  readonly written: WrittenProfile;
  readonly source: YamlSource;
  readonly problems: ProblemList;
}

function templateOf(data: unknown, path: YamlPath, context: FormContext): AddressTemplate {
  if (Array.isArray(data)) {
    return { kind: "list", items: data.map((item, index) => templateOf(item, [...path, index], context)) };
  }
  if (typeof data === "object" && data !== null) {
    const entries = Object.entries(data).map(
      ([key, item]) => [key, templateOf(item, [...path, key], context)] as const,
    );
    return { kind: "mapping", entries };
  }
  const parameters = Object.keys(context.written.parameters);
  if (typeof data !== "string" || !looksLikeLinearForm(data, parameters))
    return { kind: "value", value: data };
  try {
    return { kind: "form", form: parseLinearForm(data, parameters) };
  } catch (error) {
    if (!(error instanceof LinearFormError)) throw error;
    tellFormError(data, error, { path, parameters, ...context });
    return { kind: "value", value: data };
  }
}

function tellFormError(
  form: string,
  error: LinearFormError,
  context: FormContext & { readonly path: YamlPath; readonly parameters: readonly string[] },
): void {
  const word = /^[A-Za-z][A-Za-z0-9]*/.exec(form.slice(error.column - 1))?.[0];
  const nearest = word === undefined ? undefined : findNearest(word, context.parameters);
  const names = context.parameters.length === 0 ? "no parameter here" : context.parameters.join(", ");
  context.problems.add(context.source, context.path, {
    found: `${show(form)}, at its character ${error.column}: ${error.message}`,
    expected: `whole numbers and parameters (${names}) with + - *, like "7000*channel + 6"`,
    remedy: nearest === undefined || nearest === word ? "mend the form" : `did you mean ${nearest}?`,
  });
}

function foundIn(data: unknown, path: YamlPath): string {
  const value = path.reduce<unknown>((part, key) => Object(part)[key], data);
  return value === undefined ? `no ${path.at(-1)}` : show(value);
}

function profileOf(written: WrittenProfile, deviceClass: DeviceClass, hash: string): Profile {
  const { interlocks, ...rest } = written;
  const points = written.points.map((point) => pointOf(point, interlocks));
  return Object.freeze({ ...rest, id: ProfileId(written.id), class: deviceClass, points, hash });
}

function pointOf(
  { unit = "1", deadband = 0, scale, interlock, args, ...rest }: WrittenPoint,
  interlocks: WrittenProfile["interlocks"],
): PointDefinition {
  const conditions = interlock === undefined ? undefined : interlocks[interlock];
  return Object.freeze({
    ...rest,
    unit,
    deadband,
    ...(scale !== undefined && { scale: scaleOf(scale) }),
    ...(args !== undefined && { args: args.map((argument) => ({ unit: "1", ...argument })) }),
    ...(interlock !== undefined &&
      conditions !== undefined && { interlock: { name: interlock, ...conditions } }),
  });
}

function scaleOf(written: NonNullable<WrittenPoint["scale"]>): Scale {
  return written === "dali-log" ? { kind: "dali-log" } : { kind: "linear", ...written };
}
