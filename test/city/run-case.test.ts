import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import t, { type Test } from "tap";
import { CenterClient } from "../../city/center-client.ts";
import { runCase } from "../../city/check/run-case.ts";
import type { City } from "../../city/city.ts";
import { systemClock } from "../../domain/system-clock.ts";

const ORDER = {
  name: "K3, a barrier",
  gatewayId: "gw-1",
  pointId: "barrier-1/order",
  value: true,
  expected: "succeeded",
  moves: [],
  stands: { "barrier-1/loop": false },
};
const context = { clock: systemClock, signal: new AbortController().signal };

t.test(
  "an order whose preview is not known well enough any more is looked at again, and given once",
  async (t) => {
    const center = await openCenter(t, { refusals: 2, status: 409 });
    const { end, problems } = await runCase(center.city, ORDER, context);
    t.same({ end, problems }, { end: "succeeded", problems: [] });
    t.same(center.confirmed, ["look-1", "look-2", "look-3"], "each time with what was seen last");
  },
);

t.test(
  "what changes between the look and the order is not looked at again: the refusal is the case",
  async (t) => {
    const center = await openCenter(t, { refusals: 2, status: 409 });
    await t.rejects(runCase(center.city, { ...ORDER, between: async () => {} }, context), {
      message: /the center answered 409/,
    });
    t.same(center.confirmed, ["look-1"]);
  },
);

t.test("any other refusal ends the case", async (t) => {
  const center = await openCenter(t, { refusals: 1, status: 403 });
  await t.rejects(runCase(center.city, ORDER, context), { message: /the center answered 403/ });
  t.same(center.confirmed, ["look-1"]);
});

/** A center that refuses its first orders; the devices' journal shows nothing. */
async function openCenter(
  t: Test,
  { refusals, status }: { readonly refusals: number; readonly status: number },
) {
  const confirmed: string[] = [];
  let looks = 0;
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    if (request.url?.startsWith("/api/v1/preview") === true) {
      looks += 1;
      const points = [{ pointId: "barrier-1/loop", value: false }];
      response.end(JSON.stringify({ points, preview: `look-${looks}` }));
      return;
    }
    confirmed.push((JSON.parse(body) as { confirm: { preview: string } }).confirm.preview);
    const isRefused = confirmed.length <= refusals;
    const { gatewayId, pointId } = ORDER;
    const given = { id: "order-1", gatewayId, pointId, state: { name: "succeeded" }, history: [] };
    response.statusCode = isRefused ? status : 201;
    response.end(isRefused ? '{"error":"wait, and look again"}' : JSON.stringify(given));
  });
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port: 0 }, resolve));
  t.teardown(() => server.close());
  const city = {
    client: new CenterClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, "token"),
    journal: { position: async () => 0, since: async () => [] },
    gatewayProgram: () => ({ kill: () => true }),
  };
  return { confirmed, city: city as unknown as City };
}
