import type { DeviceId } from "../../domain/ids.ts";
import type { PointDefinition } from "../../domain/point.ts";
import { proofComplaint } from "./check-profile.ts";
import type { ResolvedDevice } from "./resolve-devices.ts";
import type { Complaint, ProblemList } from "./source/problem-list.ts";
import type { YamlSource } from "./source/yaml-source.ts";

/** A group has members that can prove its commands: on its own unit, with the read-back point, and no group again. */
export function checkGroups(
  devices: readonly ResolvedDevice[],
  { source, problems }: { readonly source: YamlSource; readonly problems: ProblemList },
): void {
  const byId = new Map(devices.map((resolved) => [resolved.device.id, resolved]));
  for (const group of devices) {
    const { id, members } = group.device;
    const tell = (complaint: Complaint): void => {
      problems.add(source, [...group.expanded.path, "members"], complaint);
    };
    const isGroup = group.loaded.profile.group === "members";
    if (!isGroup && members.length > 0) {
      const expected = `no members, as ${group.device.profileId} is no group`;
      tell({
        at: "key",
        found: `members on ${id}`,
        expected,
        remedy: "remove members, or name a group's profile",
      });
    }
    if (isGroup && members.length === 0) {
      const remedy = "add members: without them no command to it can be proven";
      tell({ found: `no members on ${id}`, expected: "the ids of the devices in the group", remedy });
    }
    if (isGroup) checkMembers(group, byId, tell);
  }
}

function checkMembers(
  group: ResolvedDevice,
  byId: ReadonlyMap<DeviceId, ResolvedDevice>,
  tell: (complaint: Complaint) => void,
): void {
  const seen = new Set<DeviceId>();
  for (const memberId of group.device.members) {
    if (seen.has(memberId)) {
      tell({ found: `${memberId} twice`, expected: "each member once", remedy: "remove one of the two" });
    }
    seen.add(memberId);
    const member = byId.get(memberId);
    // A member that is broken otherwise was told already.
    const complaint = member === undefined ? undefined : memberComplaint(group, member);
    if (complaint !== undefined) tell(complaint);
  }
}

function memberComplaint(group: ResolvedDevice, member: ResolvedDevice): Complaint | undefined {
  const { id, busId, unitAddress } = member.device;
  const own = group.device;
  if (member.loaded.profile.group === "members") {
    return {
      found: `${id}, which is a group`,
      expected: "devices that are no group",
      remedy: "list its members instead",
    };
  }
  if (busId !== own.busId || unitAddress !== own.unitAddress) {
    const expected = `devices on bus ${own.busId}, unit ${own.unitAddress}, as ${own.id}`;
    const found = `${id} on bus ${busId}, unit ${unitAddress}`;
    return { found, expected, remedy: "remove it: one operation writes and reads back on one unit" };
  }
  for (const [name, value] of Object.entries(group.values)) {
    const other = member.values[name];
    if (other === undefined || other === value) continue;
    const expected = `members with ${name} ${value}, as ${own.id}`;
    return { found: `${id} with ${name} ${other}`, expected, remedy: `remove it, or mend its ${name}` };
  }
  return own.points
    .map(({ definition }) => missingProof(definition, member))
    .find((missing) => missing !== undefined);
}

function missingProof(
  { name, type, unit, readBack }: PointDefinition,
  member: ResolvedDevice,
): Complaint | undefined {
  if (readBack?.of !== "members") return undefined;
  const { points, id } = member.loaded.profile;
  const proof = points.find((point) => point.name === readBack.point);
  const complaint = proofComplaint({ name, type, unit, proof: readBack.point }, proof, { points });
  if (complaint === undefined) {
    if (member.device.points.some(({ definition }) => definition.name === readBack.point)) return undefined;
    return {
      found: `${member.device.id} without ${readBack.point}, which proves ${name}`,
      expected: `members whose points have ${readBack.point}`,
      remedy: `add ${readBack.point} to points of ${member.device.id}, or leave ${name} out of points of the group`,
    };
  }
  const found = `${member.device.id}, whose profile ${id} has ${complaint.found}`;
  return { found, expected: complaint.expected, remedy: "remove it, or name another group's profile" };
}
