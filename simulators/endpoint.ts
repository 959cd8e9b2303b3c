import { isIP } from "node:net";
import { type Fields, InvalidField } from "./input-fields.ts";

export interface Endpoint {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

/** `127.0.0.1:0`, `[::1]:1502`. @throws {InvalidField} */
export function parseEndpoint(text: string, pointer: string): Endpoint {
  const match = /^(?:\[([0-9a-f:]+)\]|([0-9.]+)):(\d{1,5})$/i.exec(text);
  const host = match?.[1] ?? match?.[2] ?? "";
  const port = Number(match?.[3] ?? Number.NaN);
  if (isIP(host) === 0 || !(port <= 65_535)) {
    throw new InvalidField(pointer, "an address and a port, like 127.0.0.1:0");
  }
  return { host, port };
}

/** The member `listen`; absent: loopback, on a port that the system chooses. @throws {InvalidField} */
export function listenOf(fields: Fields): Endpoint {
  return parseEndpoint(
    fields.has("listen") ? fields.text("listen") : "127.0.0.1:0",
    fields.pointerTo("listen"),
  );
}
