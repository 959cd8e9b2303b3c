import { alarmSeverity, isAlarmPoint } from "../store/alarm-points.ts";
import type { Database } from "../store/database.ts";
import { fromColumns } from "../store/tables/value-columns.ts";
import { type DevicePointStateRow, findDevice, listDevicePoints } from "../store/views/console-levels.ts";

export interface DeviceKey {
  readonly gatewayId: string;
  readonly deviceId: string;
}

/** One device with every point, its definition and its present state. Undefined: no such device. */
export async function viewConsoleDevice(database: Database, key: DeviceKey) {
  const device = await findDevice(database, key);
  if (device === undefined) return undefined;
  const points = await listDevicePoints(database, key);
  const { profile_id: profileId, ...rest } = device;
  const shown = points.map((row) => pointOf(row, device.class));
  return { gateway: key.gatewayId, id: key.deviceId, profileId, ...rest, points: shown };
}

function pointOf(row: DevicePointStateRow, deviceClass: string) {
  const isAlarm = isAlarmPoint({ name: row.name, type: row.type, class: deviceClass });
  return {
    name: row.name,
    type: row.type,
    unit: row.unit,
    access: row.access,
    range:
      row.range_min === null || row.range_max === null ? null : { min: row.range_min, max: row.range_max },
    commandClass: row.command_class,
    pollClass: row.poll_class,
    maxAgeMs: row.max_age_ms,
    sweep: row.sweep,
    readBack: row.read_back,
    ...row.takes,
    /** How soon a person is needed while it is true; null: it tells of no trouble. */
    alarm: isAlarm ? alarmSeverity(row.name) : null,
    state: stateOf(row),
  };
}

function stateOf({ value_kind, value_number, value_text, quality, cause, at }: DevicePointStateRow) {
  if (value_kind === null || quality === null || cause === null) return null;
  return { ...fromColumns({ value_kind, value_number, value_text, quality, cause }), atMs: at };
}
