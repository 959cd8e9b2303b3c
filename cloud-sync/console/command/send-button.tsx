import { useEffect, useState } from "preact/hooks";
import type { LinkState, PointView } from "../api/answers.ts";
import { useWording } from "../app/console-context.ts";

/** What is selected and not operated is left after this many seconds, as at the gateway (PROTOCOL §8: TTL 10 s). */
const SELECTED_S = 10;

interface SendProps {
  readonly point: PointView;
  readonly link: LinkState;
  readonly ready: "yes" | "no";
  readonly onSend: () => Promise<void>;
}

/** One press for a set-point; what is dangerous takes two, the second within ten seconds of the first. */
export function SendButton({ point, link, ready, onSend }: SendProps) {
  const wording = useWording();
  const dangerous = point.commandClass === "K3";
  const neverWaits = point.commandClass !== "K1";
  const blocked = ready === "no" || (link === "down" && neverWaits);
  return (
    <div class="send">
      {dangerous && <p class="notice danger">{wording.text("command.danger")}</p>}
      {link === "down" && (
        <p class="notice">{wording.text(neverWaits ? "command.refused-offline" : "command.waits")}</p>
      )}
      {dangerous ? (
        <TwoSteps blocked={blocked ? "yes" : "no"} onSend={onSend} />
      ) : (
        <SendOnce blocked={blocked ? "yes" : "no"} onSend={onSend} />
      )}
    </div>
  );
}

interface StepProps {
  readonly blocked: "yes" | "no";
  readonly onSend: () => Promise<void>;
}

function SendOnce({ blocked, onSend }: StepProps) {
  const wording = useWording();
  const [busy, setBusy] = useState<"yes" | "no">("no");
  const send = (): void => {
    setBusy("yes");
    onSend()
      .catch(window.reportError)
      .finally(() => setBusy("no"));
  };
  return (
    <button type="button" class="primary" disabled={blocked === "yes" || busy === "yes"} onClick={send}>
      {wording.text("command.send")}
    </button>
  );
}

function TwoSteps({ blocked, onSend }: StepProps) {
  const wording = useWording();
  const [left, setLeft] = useState(0);
  useEffect(() => {
    if (left === 0) return;
    const timer = window.setTimeout(() => setLeft(left - 1), 1_000);
    return () => window.clearTimeout(timer);
  }, [left]);
  if (left === 0 || blocked === "yes")
    return (
      <button
        type="button"
        class="primary select"
        disabled={blocked === "yes"}
        onClick={() => setLeft(SELECTED_S)}
      >
        {wording.text("command.select")}
      </button>
    );
  const operate = (): void => {
    setLeft(0);
    onSend().catch(window.reportError);
  };
  return (
    <p class="two-steps">
      <button type="button" class="primary operate" onClick={operate}>
        {wording.text("command.operate", { n: left })}
      </button>
      <button type="button" class="quiet" onClick={() => setLeft(0)}>
        {wording.text("command.unselect")}
      </button>
    </p>
  );
}
