import { once } from "node:events";
import { createServer, request, type ServerResponse } from "node:http";
import t from "tap";
import { streamDownlink } from "../../cloud-sync/http/gateway-downlink-route.ts";
import { DownlinkRegistry } from "../../cloud-sync/registry/downlinks.ts";
import { GatewayId } from "../../domain/ids.ts";
import { SimulatedClock } from "../simulated-clock.ts";

/** A real response of a real server, and how its reader leaves. */
async function opened(t: { teardown(end: () => void): void }) {
  const server = createServer();
  t.teardown(() => server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const reader = request({ host: "127.0.0.1", port: typeof address === "object" ? address?.port : 0 });
  reader.on("error", () => undefined);
  reader.end();
  const [, response] = (await once(server, "request")) as [unknown, ServerResponse];
  return { reader, response };
}

t.test("a downlink beats until its reader leaves", async (t) => {
  const clock = new SimulatedClock();
  const registry = new DownlinkRegistry();
  const { reader, response } = await opened(t);
  streamDownlink(response, { gatewayId: GatewayId("gw-a"), session: "1.1", registry, clock });
  t.equal(clock.pendingTimers, 1);
  const closed = once(response, "close");
  reader.destroy();
  await closed;
  t.equal(clock.pendingTimers, 0);
});

t.test(
  "a reader that left before its stream began leaves no beat that keeps the center from ending",
  async (t) => {
    const clock = new SimulatedClock();
    const registry = new DownlinkRegistry();
    const { reader, response } = await opened(t);
    const closed = once(response, "close");
    reader.destroy();
    await closed;
    streamDownlink(response, { gatewayId: GatewayId("gw-a"), session: "1.1", registry, clock });
    t.equal(clock.pendingTimers, 0);
  },
);
