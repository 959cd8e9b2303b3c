import { listenOf } from "../endpoint.ts";
import { Fields, InvalidField, slugAt } from "../input-fields.ts";
import type { DeviceKind } from "../simulated-device.ts";

const CABINETS_MAX = 500;

/** Signal controllers behind one OPC UA server. The server is loaded with the first that is opened: it costs 0.5 s and 100 MB. */
export const trafficControllersKind: DeviceKind = {
  about: `OPC UA server with traffic cabinets: "cabinets": ["junction-1"] (their ids, default the device's own), "security": any | secured, "clients": any | trusted, "pkiFolder", "user": {"name","password"}`,
  parse: (fields) => {
    const listen = listenOf(fields);
    const cabinets = fields.has("cabinets") ? readCabinets(fields) : undefined;
    const pkiFolder = fields.has("pkiFolder") ? fields.text("pkiFolder") : undefined;
    const security = fields.has("security") ? fields.oneOf("security", ["any", "secured"]) : "any";
    const clients = fields.has("clients") ? fields.oneOf("clients", ["any", "trusted"]) : "any";
    const user = fields.has("user") ? readUser(fields) : undefined;
    return async (around) => {
      const { openTrafficControllers } = await import("./traffic-controllers.ts");
      const config = { listen, cabinets: cabinets ?? [around.id], pkiFolder, security, clients, user };
      return await openTrafficControllers(config, around);
    };
  },
};

function readCabinets(fields: Fields): readonly string[] {
  const ids = fields.list("cabinets").map((id, at) => slugAt(id, `${fields.pointerTo("cabinets")}/${at}`));
  if (ids.length > 0 && ids.length <= CABINETS_MAX && new Set(ids).size === ids.length) return ids;
  throw new InvalidField(fields.pointerTo("cabinets"), `1 to ${CABINETS_MAX} ids, each once`);
}

function readUser(fields: Fields) {
  const user = new Fields(fields.raw("user"), fields.pointerTo("user"));
  const read = { name: user.text("name"), password: user.text("password") };
  user.refuseUnknown();
  return read;
}
