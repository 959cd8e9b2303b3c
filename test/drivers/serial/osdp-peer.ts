import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import type { PointDefinition } from "../../../domain/point.ts";
import { Millis } from "../../../domain/time.ts";
import { machineClock } from "../../../simulators/clock.ts";
import { DeviceJournal } from "../../../simulators/device-journal.ts";
import { Journal } from "../../../simulators/journal.ts";
import { DoorHardware } from "../../../simulators/osdp/door-hardware.ts";
import { PacketCollector, type PanelPacket } from "../../../simulators/osdp/pd-frame.ts";
import { PeripheralDevice } from "../../../simulators/osdp/peripheral-device.ts";
import type { SimulatedUnit } from "../conformance-line.ts";
import { type Fate, HeldPeer, type PeerLink } from "../held-peer.ts";
import { point } from "../modbus/modbus-unit.ts";

export const ADDRESS = 5;

/** A door unit behind a serial device server, whose answers can be held back. */
export interface OsdpPeer extends AsyncDisposable {
  readonly port: number;
  readonly hardware: DoorHardware;
  readonly device: PeripheralDevice;
  readonly journal: Journal;
  /** Every packet that panels sent, oldest first. */
  readonly heard: PanelPacket[];
  readonly sockets: ReadonlySet<Socket>;
  /** What happens to the answers; late and broken: only those to the next packet and its repetitions. */
  answers: Fate | "broken-once";
}

export async function openOsdpPeer(options: {
  readonly key?: Buffer;
  readonly clear: "refused" | "allowed";
}): Promise<OsdpPeer> {
  const journal = new Journal({ clock: machineClock });
  const log = new DeviceJournal("door-1", journal);
  const hardware = new DoorHardware(log, machineClock);
  const device = new PeripheralDevice({
    identity: {
      address: ADDRESS,
      vendor: "697a00",
      model: 153,
      version: 1,
      serial: 16_909_060,
      firmware: [10, 11, 12],
    },
    key: options.key,
    clear: options.clear,
    hardware,
    log,
    clock: machineClock,
    random: randomBytes,
  });
  const heard: PanelPacket[] = [];
  let affected: Buffer | undefined;
  const take = (packet: PanelPacket, answer: PeerLink["answer"]): void => {
    heard.push(packet);
    const told = device.answer(packet);
    if (told === undefined || peer.answers === "dropped") return;
    const fate = fateOf(packet);
    if (typeof fate !== "object") {
      answer(told, fate === "broken-once" ? "broken" : fate);
      return;
    }
    setTimeout(() => {
      answer(told, "sent");
      affected = undefined;
      if (peer.answers === fate) peer.answers = "sent";
    }, fate.lateMs);
  };
  /** A repetition is the same request: what befell that befalls it. */
  const fateOf = (packet: PanelPacket): OsdpPeer["answers"] => {
    const { answers } = peer;
    if (answers === "sent") return answers;
    affected ??= packet.macInput;
    const isSame = affected.equals(packet.macInput);
    if (isSame && answers !== "broken-once") return answers;
    affected = undefined;
    peer.answers = "sent";
    return isSame ? answers : "sent";
  };
  const held = await HeldPeer.open(({ answer }) => {
    const collector = new PacketCollector();
    return (bytes) => {
      for (const packet of collector.feed(bytes)) take(packet, answer);
    };
  }, withBrokenCrc);
  const peer: OsdpPeer = {
    port: held.port,
    hardware,
    device,
    journal,
    heard,
    sockets: held.sockets,
    answers: "sent",
    async [Symbol.asyncDispose]() {
      hardware.close();
      await held[Symbol.asyncDispose]();
    },
  };
  return peer;
}

function withBrokenCrc(answer: Buffer): Buffer {
  return Buffer.concat([answer.subarray(0, -1), Buffer.from([(answer.at(-1) ?? 0) ^ 0xff])]);
}

export const lineTo = (peer: { readonly port: number }) => ({
  kind: "tcp",
  host: "127.0.0.1",
  port: peer.port,
  baud: 115_200,
});

export const STRIKE = point(
  "strike",
  { dialect: "osdp", item: "output", number: 0 },
  { type: "boolean", access: "read-write", pulse: Millis(5_000) },
);

/** The conformance suite's unit. `security`: as the site file writes it. */
export async function openConformingDoor(options: {
  readonly key?: Buffer;
  readonly clear: "refused" | "allowed";
  readonly security: unknown;
}): Promise<SimulatedUnit> {
  const peer = await openOsdpPeer(options);
  peer.hardware.inputs[0] = 1;
  const osdp = (name: string, address: object, rest: Partial<PointDefinition> = {}) =>
    point(name, { dialect: "osdp", ...address }, { type: "boolean", ...rest });
  return {
    busConfig: { dialect: "osdp", line: lineTo(peer), security: options.security, replyTimeout: "80 ms" },
    unitAddress: ADDRESS,
    points: [
      { definition: osdp("door-open", { item: "input", number: 0 }), value: true },
      { definition: osdp("exit-button", { item: "input", number: 1 }), value: false },
      {
        definition: osdp("serial", { item: "identity", field: "serial" }, { type: "text" }),
        value: "16909060",
      },
      { definition: osdp("tamper", { item: "tamper" }), value: false },
      { definition: STRIKE, value: false },
    ],
    unknown: osdp("no-such-input", { item: "input", number: 9 }),
    writable: { definition: STRIKE, value: true },
    refused: {
      definition: osdp(
        "output-7",
        { item: "output", number: 7 },
        { access: "read-write", pulse: Millis(1_000) },
      ),
      value: true,
    },
    fallSilent: () => {
      peer.answers = "dropped";
    },
    speak: () => {
      peer.answers = "sent";
    },
    answerNextLate: (lateMs) => {
      peer.answers = { lateMs };
    },
    answerNextMalformed: () => {
      peer.answers = "broken";
    },
    cut: () => {
      for (const socket of peer.sockets) socket.destroy();
    },
    openLines: () => peer.sockets.size,
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}
