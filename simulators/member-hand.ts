import { type Fields, InvalidField } from "./input-fields.ts";
import type { DeviceAction } from "./simulated-device.ts";

/** One of several devices behind one entry of a configuration: a cabinet on a server, a door on a line. */
export interface Member {
  /** A slug; also its name in the journal. */
  readonly id: string;
}

/** An action that takes, in the field `word` (`cabinet`, `door`), whose it is; where one stands alone, nobody has to say. */
export function memberHand<Some extends Member>(
  action: Pick<DeviceAction, "name" | "about" | "takes">,
  at: { readonly word: string; readonly members: readonly Some[] },
  prepare: (member: Some, fields: Fields) => ReturnType<DeviceAction["prepare"]>,
): DeviceAction {
  return {
    ...action,
    takes: { [at.word]: `the id of a ${at.word}`, ...action.takes },
    prepare: (fields) => prepare(memberAsked(fields, at), fields),
  };
}

function memberAsked<Some extends Member>(
  fields: Fields,
  { word, members }: { readonly word: string; readonly members: readonly Some[] },
): Some {
  const [only] = members;
  if (members.length === 1 && only !== undefined && !fields.has(word)) return only;
  const id = fields.text(word);
  const found = members.find((member) => member.id === id);
  if (found === undefined) throw new InvalidField(fields.pointerTo(word), `a ${word} that is here`);
  return found;
}
