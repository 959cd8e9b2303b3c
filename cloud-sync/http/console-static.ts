import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { gzipSync } from "node:zlib";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

export interface ConsoleFiles {
  /** Where the build left the console; default: beside its sources. */
  readonly folder?: string;
}

/** Nothing from elsewhere and nothing inline: a page that commands lamps runs only what stands in our own files. */
const CONTENT_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".geojson": "application/geo+json; charset=utf-8",
  ".svg": "image/svg+xml",
};
const BUILT = join(import.meta.dirname, "..", "console", "dist");
/** Names with a hash of their content never change what they hold. */
const HASHED = /-[0-9A-Z]{8}\.[a-z]+$/;
const COMPRESSED_FROM_BYTES = 1_400;

/**
 * Serves the built console from memory: some 0.3 MB. Without a built one it answers what to do. The files hold no data,
 * so they are open; every answer of the interface asks for a token.
 */
export function serveConsole(app: FastifyInstance, files: ConsoleFiles = {}): "served" | "not-built" {
  const { folder = BUILT } = files;
  const schema = { hide: true };
  // Where it stood before; a browser keeps what stands behind the #.
  for (const former of ["/console", "/console/"])
    app.get(former, { schema }, (_request, reply) => reply.redirect("/", 308));
  if (!existsSync(join(folder, "index.html"))) {
    app.get("/", { schema }, (_request, reply) =>
      reply
        .status(503)
        .type("text/plain; charset=utf-8")
        .send("The console is not built: run `npm run build`.\n"),
    );
    return "not-built";
  }
  for (const name of readdirSync(folder)) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const plain = readFileSync(join(folder, name));
    const content = { type, plain, gzip: gzipSync(plain) };
    const url = name === "index.html" ? "/" : `/${name}`;
    const caching = HASHED.test(name) ? "public, max-age=31536000, immutable" : "no-cache";
    app.get(url, { schema }, (request, reply) => {
      reply.headers({
        "cache-control": caching,
        "content-security-policy": CONTENT_POLICY,
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "cross-origin-opener-policy": "same-origin",
      });
      return sendCompressed(request, reply, content);
    });
  }
  return "served";
}

/** Gzipped for those who take it, once it is large enough to be worth it. */
export function sendCompressed(
  request: FastifyRequest,
  reply: FastifyReply,
  content: { readonly type: string; readonly plain: string | Buffer; readonly gzip?: Buffer },
): FastifyReply {
  const { type, plain } = content;
  reply.header("content-type", type).header("vary", "accept-encoding");
  const takes = String(request.headers["accept-encoding"] ?? "").includes("gzip");
  if (!takes || plain.length < COMPRESSED_FROM_BYTES) return reply.send(plain);
  return reply.header("content-encoding", "gzip").send(content.gzip ?? gzipSync(plain, { level: 1 }));
}
