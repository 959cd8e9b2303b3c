import type { PointDefinition } from "../../domain/point.ts";
import type { Profile } from "../../domain/profile.ts";
import type { Driver, Footprint } from "../../drivers/driver.ts";
import { AddressError } from "../../drivers/driver.ts";
import { evaluateLinearForm, type LinearForm } from "./linear-form.ts";
import type { YamlSource } from "./source/yaml-source.ts";

/** What an address is before its parameters have values. */
export type AddressTemplate =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "form"; readonly form: LinearForm }
  | { readonly kind: "list"; readonly items: readonly AddressTemplate[] }
  | { readonly kind: "mapping"; readonly entries: readonly (readonly [string, AddressTemplate])[] };

export type ParameterValues = Readonly<Record<string, number>>;

/** What a device of the site has otherwise than its profile. */
export interface DeviceChoice {
  /** By point; absent: none. */
  readonly raised?: Readonly<Record<string, "K1" | "K2" | "K3">>;
  /** Names of the points it has; absent: all of the profile. */
  readonly points?: readonly string[];
}

/** The points of a profile for one set of parameter values and one choice: shared by all devices that have the same. */
export interface ResolvedPoints {
  /** In the order of the profile. */
  readonly definitions: readonly PointDefinition[];
  /** Of the point with the same index. */
  readonly footprints: readonly Footprint[];
  readonly faults: readonly AddressFault[];
}

/** A point whose address makes no sense to the driver. */
export interface AddressFault {
  /** Index in the profile. */
  readonly point: number;
  /** Inside the address. */
  readonly pointer: string;
  readonly expected: string;
  readonly message: string;
}

/** A profile that was checked, with its driver: gives the points of each device. */
export class DeviceProfile {
  readonly profile: Profile;
  readonly source: YamlSource;
  readonly driver: Driver;
  readonly #templates: readonly AddressTemplate[];
  /** Bounded by the sets of parameter values and the choices that the site's devices have. */
  readonly #resolved = new Map<string, ResolvedPoints>();

  constructor(
    checked: { readonly profile: Profile; readonly source: YamlSource; readonly driver: Driver },
    templates: readonly AddressTemplate[],
  ) {
    this.profile = checked.profile;
    this.source = checked.source;
    this.driver = checked.driver;
    this.#templates = templates;
  }

  /** Everything but the address is the profile's own object; the whole is shared where the values are equal. */
  resolve(values: ParameterValues, choice: DeviceChoice): ResolvedPoints {
    const { raised = {}, points } = choice;
    const key = JSON.stringify([
      Object.entries(values).toSorted(),
      Object.entries(raised).toSorted(),
      points?.toSorted() ?? null,
    ]);
    const known = this.#resolved.get(key);
    if (known !== undefined) return known;
    const resolved = this.#resolve(values, choice);
    this.#resolved.set(key, resolved);
    return resolved;
  }

  #resolve(values: ParameterValues, { raised = {}, points }: DeviceChoice): ResolvedPoints {
    const definitions: PointDefinition[] = [];
    const footprints: Footprint[] = [];
    const faults: AddressFault[] = [];
    for (const [index, point] of this.profile.points.entries()) {
      if (points !== undefined && !points.includes(point.name)) continue;
      const template = this.#templates[index] ?? { kind: "value", value: point.address };
      try {
        const address = this.driver.parseAddress(fill(template, values), point);
        definitions.push(this.#definitionOf(point, address, raised[point.name]));
        footprints.push(this.driver.footprint(address));
      } catch (error) {
        if (!(error instanceof AddressError)) throw error;
        const { pointer, expected, message } = error;
        faults.push({ point: index, pointer, expected, message });
      }
    }
    return { definitions, footprints, faults };
  }

  #definitionOf(
    point: PointDefinition,
    address: unknown,
    commandClass: PointDefinition["commandClass"],
  ): PointDefinition {
    const oneOf = point.access === "read" ? undefined : this.driver.choices?.(address);
    return Object.freeze({
      ...point,
      address,
      ...(commandClass && { commandClass }),
      ...(oneOf && { oneOf }),
    });
  }
}

function fill(template: AddressTemplate, values: ParameterValues): unknown {
  switch (template.kind) {
    case "value":
      return template.value;
    case "form":
      return evaluateLinearForm(template.form, values);
    case "list":
      return template.items.map((item) => fill(item, values));
    case "mapping":
      return Object.fromEntries(template.entries.map(([key, item]) => [key, fill(item, values)]));
  }
}
