import type { ServerResponse } from "node:http";
import type { GatewayId } from "../../domain/ids.ts";
import { type CancelTimer, type Clock, Seconds } from "../../domain/time.ts";
import { HEARTBEAT_INTERVAL } from "../../domain/wire/heartbeat.ts";
import type { DownlinkRegistry } from "../registry/downlinks.ts";

const CLOSE_PATIENCE = Seconds(1);

/** Streams the downlink of one session until either side ends it; a heartbeat goes at once and every 5 s. */
export function streamDownlink(
  response: ServerResponse,
  downlink: {
    readonly gatewayId: GatewayId;
    readonly session: string;
    readonly registry: DownlinkRegistry;
    readonly clock: Clock;
  },
): void {
  const { gatewayId, session, registry, clock } = downlink;
  // The gateway left, or the center ends, while the session was looked up: no "close" will come any more.
  if (response.destroyed || response.closed) return;
  response.writeHead(200, { "content-type": "application/x-ndjson", "cache-control": "no-store" });
  const leave = registry.open(gatewayId, session, {
    get pendingBytes() {
      return response.writableLength;
    },
    write: (line) => void response.write(line),
    close: () => endWithin(response, clock),
  });
  let cancel: CancelTimer = () => undefined;
  const beat = (): void => {
    cancel = clock.schedule(HEARTBEAT_INTERVAL, beat);
    registry.send(gatewayId, session, { kind: "heartbeat", centerTimeMs: clock.now() });
  };
  response.once("close", () => {
    cancel();
    leave();
  });
  response.once("error", () => response.destroy());
  beat();
}

/** The last lines may still go; a reader that stands still is not waited for. */
function endWithin(response: ServerResponse, clock: Clock): void {
  const cancel = clock.schedule(CLOSE_PATIENCE, () => response.destroy());
  response.once("close", cancel);
  response.end();
}
