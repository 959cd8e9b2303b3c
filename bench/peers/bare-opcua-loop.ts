import {
  AttributeIds,
  ClientMonitoredItemGroup,
  ClientSubscription,
  MessageSecurityMode,
  OPCUACertificateManager,
  OPCUAClient,
  SecurityPolicy,
  setWarningLogger,
  TimestampsToReturn,
} from "node-opcua";

/**
 * The least a program can do with node-opcua's client: subscribe the same variables and throw the values away.
 * `node bare-opcua-loop.ts <url> <units> <variables a unit> <seconds> <folder>` prints its own CPU and the values it took.
 */
const [, , url = "", units = "", variablesPerUnit = "", seconds = "", folder = ""] = process.argv;
const nodes = Array.from({ length: Number(units) }, (_, unit) =>
  Array.from({ length: Number(variablesPerUnit) }, (__, index) => `ns=2;s=${unit + 1}.v${index}`),
).flat();
// Its first line of output is its result.
setWarningLogger(() => {});
const client = OPCUAClient.create({
  endpointMustExist: false,
  securityMode: MessageSecurityMode.None,
  securityPolicy: SecurityPolicy.None,
  clientCertificateManager: new OPCUACertificateManager({ rootFolder: folder }),
});
await client.connect(url);
const session = await client.createSession();
const subscription = ClientSubscription.create(session, {
  requestedPublishingInterval: 500,
  requestedLifetimeCount: 60,
  requestedMaxKeepAliveCount: 2,
  maxNotificationsPerPublish: 0,
  publishingEnabled: true,
  priority: 0,
});
let values = 0;
for (let at = 0; at < nodes.length; at += 500) {
  const items = nodes.slice(at, at + 500).map((nodeId) => ({ nodeId, attributeId: AttributeIds.Value }));
  const group = ClientMonitoredItemGroup.create(
    subscription,
    items,
    { samplingInterval: 500, queueSize: 10, discardOldest: true },
    TimestampsToReturn.Source,
  );
  group.on("changed", () => {
    values += 1;
  });
}
await new Promise((resolve) => setTimeout(resolve, 5_000));
const before = process.cpuUsage();
const told = values;
await new Promise((resolve) => setTimeout(resolve, Number(seconds) * 1_000));
const used = process.cpuUsage(before);
const cpuSeconds = (used.user + used.system) / 1e6;
const rssMb = Math.round(process.memoryUsage.rss() / 1e6);
process.stdout.write(`${JSON.stringify({ event: "ready", cpuSeconds, values: values - told, rssMb })}\n`);
process.exit(0);
