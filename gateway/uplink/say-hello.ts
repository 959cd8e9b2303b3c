import type { RandomSource } from "../../domain/random.ts";
import { compareSessions, parseSession } from "../../domain/session-id.ts";
import { type Clock, Seconds } from "../../domain/time.ts";
import type { Welcome } from "../../domain/wire/hello.ts";
import type { TimeQuality } from "../../domain/wire/points-block.ts";
import type { Store } from "../store/store.ts";
import { type CenterTransport, TransportError } from "./center-transport.ts";
import { helloMessage } from "./hello-message.ts";

/** A WELCOME that comes later is of no use: time-outs of the transport bound silence, not an answer in drops. */
const PATIENCE = Seconds(30);

export interface HelloParts {
  readonly store: Store;
  readonly transport: Pick<CenterTransport, "hello">;
  readonly catalogueHash: string;
  readonly timeQuality: TimeQuality;
  readonly software: string;
  readonly clock: Clock;
  readonly random: RandomSource;
}

/** HELLO and the WELCOME to it. @throws {TransportError} also for a session that is not above all before it (I37). */
export async function sayHello(
  parts: HelloParts,
  signal: AbortSignal,
): Promise<{ readonly welcome: Welcome; readonly nonce: string }> {
  const { store, transport, clock } = parts;
  const message = helloMessage(store, parts);
  const patience = new AbortController();
  const cancel = clock.schedule(PATIENCE, () =>
    patience.abort(new TransportError("unreachable", `say HELLO: no whole answer in ${PATIENCE / 1_000} s`)),
  );
  try {
    const welcome = await transport.hello(message, AbortSignal.any([signal, patience.signal]));
    assertNewer(welcome.session, store.sync.highestSession());
    return { welcome, nonce: message.nonce };
  } finally {
    cancel();
  }
}

function assertNewer(session: string, highest: string | null): void {
  if (highest === null || compareSessions(parseSession(session), parseSession(highest)) > 0) return;
  throw new TransportError(
    "fence",
    `the center offered sync session ${session}, but ${highest} was current already`,
  );
}
