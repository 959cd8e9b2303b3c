import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { FastifyInstance, FastifyReply } from "fastify";
import { renderDocs } from "./docs-page.ts";

const CONSOLE = join(import.meta.dirname, "..", "..", "console");
/** Nothing from elsewhere, nothing inline: a page that commands lamps runs only what stands in our own files. */
const CONTENT_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const FILES = [
  { url: "/", file: "status-page.html", type: "text/html; charset=utf-8" },
  { url: "/status-page.css", file: "status-page.css", type: "text/css; charset=utf-8" },
  { url: "/status-page.js", file: "status-page.js", type: "text/javascript; charset=utf-8" },
  { url: "/center-api.js", file: "center-api.js", type: "text/javascript; charset=utf-8" },
  { url: "/device-card.js", file: "device-card.js", type: "text/javascript; charset=utf-8" },
] as const;

/** The status page and the documentation of the interface; both are open, as they hold no data. */
export function addPageRoutes(app: FastifyInstance): void {
  for (const { url, file, type } of FILES) {
    const content = readFileSync(join(CONSOLE, file));
    app.get(url, { schema: { hide: true } }, (_request, reply) => sendPage(reply, type, content));
  }
  app.get("/favicon.ico", { schema: { hide: true } }, (_request, reply) => reply.status(204).send());
  app.get("/docs/openapi.json", { schema: { hide: true } }, async () => app.swagger());
  app.get("/docs", { schema: { hide: true } }, (_request, reply) =>
    sendPage(reply, "text/html; charset=utf-8", Buffer.from(renderDocs(app.swagger()))),
  );
}

function sendPage(reply: FastifyReply, type: string, content: Buffer): FastifyReply {
  return reply
    .headers({
      "content-type": type,
      "content-security-policy": CONTENT_POLICY,
      "referrer-policy": "no-referrer",
      "cache-control": "no-cache",
    })
    .send(content);
}
