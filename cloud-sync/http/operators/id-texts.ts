import { z } from "zod";
import { CommandId, PointId } from "../../../domain/ids.ts";

/** `<device>/<point>`, as a client writes it. */
export const pointIdText = z
  .string()
  .refine(isParsed(PointId), "is not <device>/<point>, e.g. lamp-0042/dim-level");
export const commandIdText = z.string().refine(isParsed(CommandId), "is not a UUIDv7 in lower case");

function isParsed(parse: (text: string) => unknown): (text: string) => boolean {
  return (text) => {
    try {
      parse(text);
      return true;
    } catch {
      return false;
    }
  };
}
