import type { CommandClass } from "../../domain/point.ts";
import { Days, Hours, type Millis, Seconds } from "../../domain/time.ts";

/** How long an order of each class is wanted: unless it says otherwise, and at most (PROTOCOL §8). */
export const COMMAND_LIFE: Readonly<Record<CommandClass, { readonly usual: Millis; readonly max: Millis }>> =
  {
    K0: { usual: Seconds(10), max: Seconds(60) },
    K1: { usual: Hours(24), max: Days(7) },
    K2: { usual: Seconds(60), max: Seconds(60) },
    K3: { usual: Seconds(10), max: Seconds(30) },
  };

/** A set-point that was sent may be acted upon so long; before that it waits at the center only. */
export const K1_BUDGET_MAX = Seconds(60);
/** A K3 needs a token that is not older at the center. */
export const K3_TOKEN_AGE_MAX = Seconds(7);
/** OPERATE leaves within this of the selection; the gateway's own selection ends no later (PROTOCOL §8). */
export const SELECTION_MAX = Seconds(5);
/**
 * After its budget a command can not begin any more; an operation that began and the way of its evidence take at most
 * this. A heartbeat later than that, from a gateway that has told all its evidence, shows that none will come.
 */
export const VERDICT_PATIENCE = Seconds(60);
/** Commands that are not over, of all gateways: more are refused until some end. */
export const OPEN_COMMANDS_MAX = 20_000;
