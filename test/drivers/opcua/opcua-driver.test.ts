import { join } from "node:path";
import t from "tap";
import type { PointDefinition } from "../../../domain/point.ts";
import { Seconds } from "../../../domain/time.ts";
import { opcuaDriver } from "../../../drivers/opcua/opcua-driver.ts";
import { conformance } from "../conformance.ts";
import type { SimulatedUnit } from "../conformance-line.ts";
import { openProxy } from "./answers-proxy.ts";
import { openTestServer, TEST_NAMESPACE } from "./test-nodes.ts";

const folder = t.testdir();
const shared = await openTestServer(join(folder, "pki"));
t.teardown(() => shared[Symbol.asyncDispose]());

function define(name: string, node: string, more: Partial<PointDefinition> = {}): PointDefinition {
  return {
    name,
    type: "number",
    unit: "1",
    access: "read",
    address: { namespace: TEST_NAMESPACE, node },
    deadband: 0,
    pollClass: "safety-status",
    maxAge: Seconds(2),
    source: "test/drivers/opcua/test-nodes.ts, revision 1",
    ...more,
  };
}

async function openUnit(): Promise<SimulatedUnit> {
  shared.set("Level", 12.5);
  shared.set("Count", 7);
  shared.set("Name", "north");
  shared.set("Fixed", 3);
  const proxy = await openProxy(shared.server.address.port);
  const level = define("level", "s={unit}.Level", { access: "read-write" });
  return {
    busConfig: { endpoint: `opc.tcp://127.0.0.1:${proxy.port}`, security: "none", itemsPerCall: 3 },
    folders: { site: folder, data: folder },
    unitAddress: "one",
    points: [
      { definition: level, value: 12.5 },
      { definition: define("count", "s={unit}.Count"), value: 7 },
      { definition: define("name", "s={unit}.Name", { type: "text" }), value: "north" },
      { definition: define("fixed", "s={unit}.Fixed"), value: 3 },
    ],
    unknown: define("unknown", "s={unit}.Nothing"),
    writable: { definition: level, value: 80 },
    refused: { definition: define("fixed", "s={unit}.Fixed", { access: "read-write" }), value: 4 },
    fallSilent: () => proxy.hold(),
    speak: () => proxy.release(),
    answerNextLate: (delayMs) => proxy.delayNext(delayMs),
    answerNextMalformed: () => proxy.spoilNext(),
    cut: () => proxy.cut(),
    openLines: () => proxy.openLines,
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  };
}

const CONFIG = { endpoint: "opc.tcp://10.0.0.1:4840", security: "none" };
const SECURED = { ...CONFIG, security: { mode: "sign-and-encrypt" } };
const number = { type: "number", access: "read" } as const;
const written = { type: "number", access: "read-write" } as const;
const node = { namespace: "urn:x", node: "s=a" };

conformance(t, {
  driver: opcuaDriver,
  openUnit,
  refusedBusConfigs: [
    { name: "nothing", data: {}, pointer: "/endpoint" },
    { name: "another scheme", data: { ...CONFIG, endpoint: "http://x" }, pointer: "/endpoint" },
    {
      name: "a password in the address",
      data: { ...CONFIG, endpoint: "opc.tcp://a:b@x" },
      pointer: "/endpoint",
    },
    { name: "security that nobody chose", data: { endpoint: "opc.tcp://x" }, pointer: "/security" },
    {
      name: "an old policy",
      data: { ...CONFIG, security: { mode: "sign", policy: "Basic128Rsa15" } },
      pointer: "/security",
    },
    {
      name: "a fingerprint too short",
      data: { ...SECURED, trustedServer: "AB:CD" },
      pointer: "/trustedServer",
    },
    {
      name: "trust without security",
      data: { ...CONFIG, trustedServer: "ab".repeat(32) },
      pointer: "/trustedServer",
    },
    {
      name: "a password without security",
      data: { ...CONFIG, user: { name: "n", passwordFile: "p" } },
      pointer: "/user",
    },
    { name: "a password itself", data: { ...SECURED, user: { name: "n", password: "p" } }, pointer: "/user" },
    { name: "an unknown key", data: { ...CONFIG, trustAll: true }, pointer: "/trustAll" },
    { name: "a time without unit", data: { ...CONFIG, publishInterval: "500" }, pointer: "/publishInterval" },
  ],
  refusedAddresses: [
    {
      name: "an index instead of a URI",
      data: { ...node, node: "ns=2;s=a" },
      pointer: "/node",
      point: number,
    },
    { name: "another placeholder", data: { ...node, node: "s={x}" }, pointer: "/node", point: number },
    { name: "no namespace", data: { node: "s=a" }, pointer: "/namespace", point: number },
    { name: "a bit of a number", data: { ...node, bit: 1 }, pointer: "/bit", point: number },
    { name: "names of a number", data: { ...node, names: { a: 1 } }, pointer: "/names", point: number },
    {
      name: "two names of one number",
      data: { ...node, names: { a: 1, b: 1 } },
      pointer: "/names",
      point: { ...number, type: "text" },
    },
    {
      name: "an element that is written",
      data: { ...node, element: 1 },
      pointer: "/element",
      point: written,
    },
    {
      name: "a method of a point that is read",
      data: { ...node, write: { object: "s=o", method: "s=m" } },
      pointer: "/write",
      point: number,
    },
    {
      name: "a method without a place for the value",
      data: { ...node, write: { object: "s=o", method: "s=m" } },
      pointer: "/write/arguments",
      point: written,
    },
    {
      name: "an action with a value",
      data: node,
      pointer: "/node",
      point: { type: "action", access: "write" },
    },
  ],
  refusedUnitAddresses: ["", "a b", "a/b", "{unit}", null, {}],
});
