import { listenOf } from "../endpoint.ts";
import { type Fields, InvalidField } from "../input-fields.ts";
import type { LineEnd } from "./line-end.ts";
import { openPtyEnd } from "./pty-end.ts";
import { openSocketEnd } from "./socket-end.ts";

/** For `about` texts of kinds that sit on a line. */
export const LINE_HELP =
  '"line": "pty" (default), with "link" for a name that stays when it is pulled, or "tcp", with "listen"';

/** Reads `line`, `link` and `listen`. @throws {InvalidField} */
export function lineEndOf(fields: Fields): () => Promise<LineEnd> {
  const carrier = fields.has("line") ? fields.oneOf("line", ["pty", "tcp"]) : "pty";
  if (carrier === "tcp") {
    const listen = listenOf(fields);
    return () => openSocketEnd(listen);
  }
  const link = fields.has("link") ? fields.text("link") : undefined;
  if (link !== undefined && !link.startsWith("/")) {
    throw new InvalidField(
      fields.pointerTo("link"),
      "an absolute path at which a link to the terminal is made",
    );
  }
  return () => openPtyEnd(link);
}
