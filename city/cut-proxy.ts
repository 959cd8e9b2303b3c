import { connect, createServer, type Socket } from "node:net";

/** A line between gateway and center that can be cut: what is open breaks, and nothing new gets through. */
export interface CutProxy extends AsyncDisposable {
  readonly port: number;
  /** Where it leads to; until it is told, nothing gets through. */
  leadTo(port: number): void;
  cut(): void;
  mend(): void;
}

export async function openCutProxy(): Promise<CutProxy> {
  const open = new Set<Socket>();
  let isCut = false;
  let target: number | undefined;
  const server = createServer((near) => {
    if (isCut || target === undefined) return near.destroy();
    const far = connect(target, "127.0.0.1");
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        open.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
    return undefined;
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
  const breakAll = (): void => {
    for (const socket of open) socket.destroy();
  };
  return {
    port,
    leadTo(toPort) {
      target = toPort;
    },
    cut() {
      isCut = true;
      breakAll();
    },
    mend() {
      isCut = false;
    },
    async [Symbol.asyncDispose]() {
      breakAll();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
