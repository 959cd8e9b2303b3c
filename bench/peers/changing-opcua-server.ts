import { DataType, Variant } from "node-opcua";
import { openOpcUaServer } from "../../simulators/opcua/opcua-server.ts";

/**
 * Variables that all change once a second, each by 100, far past any deadband: `node changing-opcua-server.ts <units>
 * <variables a unit> <folder>`.
 */
const units = Number(process.argv[2]);
const variablesPerUnit = Number(process.argv[3]);
const PARTS = 10;
const setters: ((value: number) => void)[] = [];
const server = await openOpcUaServer({
  listen: { host: "127.0.0.1", port: 0 },
  pkiFolder: process.argv[4],
  clients: "any",
  security: "any",
  populate: (space) => {
    const namespace = space.registerNamespace("urn:nerve:bench:1");
    for (let unit = 1; unit <= units; unit += 1) {
      const object = namespace.addObject({
        organizedBy: space.rootFolder.objects,
        browseName: `u${unit}`,
        nodeId: `s=${unit}`,
      });
      for (let index = 0; index < variablesPerUnit; index += 1) {
        const variable = namespace.addVariable({
          componentOf: object,
          browseName: `v${index}`,
          nodeId: `s=${unit}.v${index}`,
          dataType: DataType.Double,
          value: { dataType: DataType.Double, value: 0 },
          minimumSamplingInterval: 0,
        });
        setters.push((value) =>
          variable.setValueFromSource(new Variant({ dataType: DataType.Double, value })),
        );
      }
    }
  },
});
let tick = 0;
setInterval(() => {
  tick += 1;
  const value = Math.floor(tick / PARTS) * 100;
  for (let index = tick % PARTS; index < setters.length; index += PARTS) setters[index]?.(value);
}, 1_000 / PARTS);
process.stdout.write(`${JSON.stringify({ event: "ready", url: server.url })}\n`);
process.once("SIGTERM", () => process.exit(0));
