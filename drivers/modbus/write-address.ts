import { type RegisterStep, refuseBadSequence } from "./write-sequence.ts";
import { type PointKind, refuse, type Written } from "./written-address.ts";

export function refuseWriteToReadOnly(written: Written, point: PointKind): void {
  if (point.access !== "read" && isReadOnly(written)) {
    // Modbus V1.1b3 §4.3: discrete inputs and input registers can be altered by the device only.
    refuse(
      "/table",
      '"coil" or "holding"',
      `${written.table} is read-only: take coil or holding, say with writeCoil or writeRegister where an input register is written, or make the point's access read`,
    );
  }
  if (point.access !== "read") return;
  for (const key of ["writeFunction", "writeRegister", "writeCoil", "writeSequence"] as const) {
    if (written[key] === undefined) continue;
    refuse(
      `/${key}`,
      "no such key on a point that is only read",
      `remove ${key}, or give the point write access`,
    );
  }
}

/** An input register may be the image of what is written elsewhere. */
function isReadOnly({ table, writeCoil, writeRegister }: Written): boolean {
  if (table === "input") return writeCoil === undefined && writeRegister === undefined;
  return table === "discrete";
}

/** How it is written, where that is not the register itself. */
export function otherWrite(
  written: Written,
  registers: number,
): { readonly writeCoil?: number; readonly writeSequence?: readonly RegisterStep[] } {
  const { table, writeCoil, writeSequence, writeRegister, writeFunction } = written;
  const hasOwnPlace = writeRegister !== undefined || writeFunction !== undefined;
  if (writeCoil !== undefined) {
    if (hasOwnPlace || writeSequence !== undefined)
      refuse(
        "/writeCoil",
        "one way to write",
        "a coil is written by function 5: remove the other write keys",
      );
    return { writeCoil };
  }
  if (writeSequence === undefined) return {};
  refuseBadSequence(writeSequence, { table, registers, hasOwnPlace });
  return { writeSequence };
}

export function registerWriteFunction(written: Written, registers: number): 6 | 16 {
  const writeFunction = written.writeFunction ?? (registers === 1 ? 6 : 16);
  if (writeFunction === 5 || writeFunction === 15) {
    refuse(
      "/writeFunction",
      "6 or 16",
      `function ${writeFunction} writes coils: take 6 or 16 for a register`,
    );
  }
  if (writeFunction === 6 && registers > 1) {
    refuse("/writeFunction", "16", `function 6 writes one register, the value has ${registers}: take 16`);
  }
  return writeFunction;
}

export function refuseCoilOfNumber(written: Written, point: PointKind): void {
  if (written.writeCoil === undefined || point.type === "boolean" || point.type === "action") return;
  refuse(
    "/writeCoil",
    "no such key but on a boolean",
    `a coil takes true or false: ${point.type} is written to a register`,
  );
}
