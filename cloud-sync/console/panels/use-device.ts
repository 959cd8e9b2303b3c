import { useEffect, useState } from "preact/hooks";
import type { CommandView, DeviceView } from "../api/answers.ts";
import { CenterProblem } from "../api/center-client.ts";
import { type Console, useConsole, useValue } from "../app/console-context.ts";

export interface OpenDevice {
  readonly view: DeviceView | undefined;
  readonly problem: CenterProblem | undefined;
}

/** Even if no change is told it is read anew after this long: a hint may be lost. */
const REREAD_MS = 10_000;
/** No device class has this name, so the stream tells of the one device only. */
const NO_CLASS = "none";
const COMMANDS_READ = 200;

/** The open device, read anew whenever one of its points moves: at most twice a second. */
export function useDevice(key: string): OpenDevice {
  const parts = useConsole();
  const [open, setOpen] = useState<OpenDevice>({ view: undefined, problem: undefined });
  useEffect(() => {
    const ended = new AbortController();
    const read = async (): Promise<void> => {
      const next = await readDevice(parts, key);
      if (!ended.signal.aborted)
        setOpen((before) => ({ view: next.view ?? before.view, problem: next.problem }));
    };
    const readSafely = (): void => void read().catch(window.reportError);
    readSafely();
    const timer = window.setInterval(readSafely, REREAD_MS);
    const query = `?${new URLSearchParams({ classes: NO_CLASS, device: key })}`;
    const take = ({ event }: { readonly event: string }): void => {
      if (event === "device") readSafely();
    };
    // When it breaks the period goes on; the page's own stream says that the center is lost.
    parts.client.follow(query, take, ended.signal).catch(() => undefined);
    return () => {
      ended.abort();
      window.clearInterval(timer);
    };
  }, [key]);
  return open;
}

async function readDevice(parts: Console, key: string): Promise<OpenDevice> {
  const [gateway = "", device = ""] = key.split("/");
  try {
    return { view: await parts.client.device(gateway, device), problem: undefined };
  } catch (cause) {
    if (cause instanceof CenterProblem) return { view: undefined, problem: cause };
    throw cause;
  }
}

/** The newest commands of a gateway, read anew when one moves. */
export function useCommands(gateway?: string): readonly CommandView[] | undefined {
  const parts = useConsole();
  const moved = useValue(parts.commandsMoved);
  const [commands, setCommands] = useState<readonly CommandView[] | undefined>(undefined);
  useEffect(() => {
    let current = true;
    parts.client
      .commands(COMMANDS_READ, gateway)
      .then((read) => current && setCommands(read))
      // The page says when the center is lost; what was read stays until then.
      .catch(() => undefined);
    return () => {
      current = false;
    };
  }, [gateway, moved]);
  return commands;
}
