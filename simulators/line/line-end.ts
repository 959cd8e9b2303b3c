import { createServer, type Server, type Socket } from "node:net";
import { type Endpoint, listenOf } from "../endpoint.ts";
import type { Fields } from "../input-fields.ts";
import { openPty } from "./pty.ts";

/** The devices' end of a serial line: a pseudo terminal, or a serial device server that passes bytes on over TCP. */
export interface LineEnd extends AsyncDisposable {
  /** `{ path }` or `{ host, port }`: where a gateway finds the line. */
  readonly reach: object;
  write(bytes: Uint8Array): void;
  /** One listener, the last; the bytes are the listener's. */
  onBytes(listener: (bytes: Buffer) => void): void;
}

/** For `about` texts of kinds that sit on a line. */
export const LINE_HELP = '"line": "pty" (default) or "tcp", with "listen" for tcp';

/** Reads `line` and `listen`. @throws {InvalidField} */
export function lineEndOf(fields: Fields): () => Promise<LineEnd> {
  const carrier = fields.has("line") ? fields.oneOf("line", ["pty", "tcp"]) : "pty";
  if (carrier === "pty") return openTerminal;
  const listen = listenOf(fields);
  return () => openSocketEnd(listen);
}

async function openTerminal(): Promise<LineEnd> {
  const pty = await openPty();
  return {
    reach: { path: pty.path },
    write: (bytes) => pty.write(bytes),
    onBytes: (listener) => pty.onBytes(listener),
    [Symbol.asyncDispose]: () => pty[Symbol.asyncDispose](),
  };
}

async function openSocketEnd({ host, port }: Endpoint): Promise<LineEnd> {
  let listener = (_: Buffer): void => {};
  let client: Socket | undefined;
  const server = createServer({ noDelay: true }, (socket) => {
    // Such servers serve one client; who comes later takes the line over.
    client?.destroy();
    client = socket;
    socket.on("data", (bytes: Buffer) => listener(bytes));
    socket.on("error", () => socket.destroy());
  });
  await listening(server, { host, port });
  const address = server.address();
  return {
    reach: { host, port: typeof address === "object" && address !== null ? address.port : port },
    write: (bytes) => {
      client?.write(bytes);
    },
    onBytes: (next) => {
      listener = next;
    },
    [Symbol.asyncDispose]: async () => {
      client?.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function listening(server: Server, { host, port }: Endpoint): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
