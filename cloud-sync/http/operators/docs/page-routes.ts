import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { FastifyInstance, FastifyReply } from "fastify";
import { renderDocs } from "./docs-page.ts";

/** Nothing from elsewhere, nothing inline, and no script at all. */
const CONTENT_POLICY =
  "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The documentation of the interface; it is open, as it holds no data. */
export function addPageRoutes(app: FastifyInstance): void {
  const style = readFileSync(join(import.meta.dirname, "docs-page.css"));
  const schema = { hide: true };
  app.get("/docs/page.css", { schema }, (_request, reply) => sendPage(reply, "text/css", style));
  app.get("/favicon.ico", { schema }, (_request, reply) => reply.status(204).send());
  app.get("/docs/openapi.json", { schema }, async () => app.swagger());
  app.get("/docs", { schema }, (_request, reply) =>
    sendPage(reply, "text/html", Buffer.from(renderDocs(app.swagger()))),
  );
}

function sendPage(reply: FastifyReply, type: "text/html" | "text/css", content: Buffer): FastifyReply {
  return reply
    .headers({
      "content-type": `${type}; charset=utf-8`,
      "content-security-policy": CONTENT_POLICY,
      "referrer-policy": "no-referrer",
      "cache-control": "no-cache",
    })
    .send(content);
}
