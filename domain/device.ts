import type { BusId, DeviceId, ProfileId } from "./ids.ts";
import type { SitePoint } from "./point.ts";
import type { DeviceClass, ProbeCheck, Quirk, Service } from "./profile.ts";

/** WGS 84, degrees. */
export interface Position {
  readonly latitude: number;
  readonly longitude: number;
}

/** One thing in the street that we can lose or replace, with its points resolved for this site. */
export interface Device {
  readonly id: DeviceId;
  readonly name: string;
  readonly class: DeviceClass;
  readonly service: Service;
  readonly profileId: ProfileId;
  readonly profileHash: string;
  readonly busId: BusId;
  /** The unit's number on its bus, as text: the driver knows its form. */
  readonly unitAddress: string;
  readonly position?: Position;
  /** The cabinet or bridge it hangs on. */
  readonly parent?: DeviceId;
  /** For a group: who must agree before a command to it has succeeded. */
  readonly members: readonly DeviceId[];
  readonly points: readonly SitePoint[];
  readonly quirks: readonly Quirk[];
  /** Of its profile. */
  readonly probe?: readonly ProbeCheck[];
}
