import type { FastifyInstance } from "fastify";
import type {
  BusesAnswer,
  CommandAnswer,
  CommandsAnswer,
  DeviceAnswer,
  DevicesAnswer,
  HistoryAnswer,
  PointAnswer,
  ReadAnswer,
  StatusAnswer,
} from "./client/answers.ts";
import { CommandDesk } from "./command-desk.ts";
import { DeviceDesk } from "./device-desk.ts";
import type { LocalApiParts } from "./local-api-parts.ts";
import { formatMetrics } from "./metrics.ts";
import {
  parseCommandBody,
  parseCommandParams,
  parseCommandsQuery,
  parseDeviceParams,
  parseHistoryQuery,
  parsePointParams,
  parseReadBody,
} from "./parse-request.ts";
import { pointAnswer } from "./point-answer.ts";
import { ReadDesk } from "./read-desk.ts";
import { busAnswers, statusAnswer } from "./status-answer.ts";

/** Every route of the local API. @param stopping ends what waits for the bus or for a verdict. */
export function addRoutes(app: FastifyInstance, parts: LocalApiParts, stopping: AbortSignal): void {
  const devices = new DeviceDesk(parts);
  const commands = new CommandDesk(parts, stopping);
  const reads = new ReadDesk(parts, devices, stopping);

  app.get("/v1/status", (): StatusAnswer => statusAnswer(parts));
  app.get("/v1/buses", (): BusesAnswer => ({ buses: busAnswers(parts) }));
  app.get("/v1/devices", (): DevicesAnswer => ({ devices: devices.summaries() }));
  app.get(
    "/v1/devices/:device",
    (request): DeviceAnswer => devices.answer(parseDeviceParams(request.params).device),
  );
  app.get("/v1/points/:device/:point", (request): PointAnswer => {
    const { point } = devices.getPoint(parsePointParams(request.params));
    return pointAnswer(point, parts);
  });
  app.get(
    "/v1/history/:device/:point",
    (request): HistoryAnswer =>
      devices.history(parsePointParams(request.params), parseHistoryQuery(request.query)),
  );
  app.post("/v1/read", (request): Promise<ReadAnswer> => reads.read(parseReadBody(request.body)));
  app.post(
    "/v1/commands",
    (request): Promise<CommandAnswer> => commands.submit(parseCommandBody(request.body)),
  );
  app.get(
    "/v1/commands",
    (request): CommandsAnswer => ({ commands: commands.recent(parseCommandsQuery(request.query).limit) }),
  );
  app.get("/v1/commands/:id", (request): CommandAnswer => commands.get(parseCommandParams(request.params)));
  app.get("/metrics", (_request, reply) => {
    void reply.type("text/plain; version=0.0.4; charset=utf-8");
    return formatMetrics(statusAnswer(parts));
  });
}
