import { useEffect, useState } from "preact/hooks";
import type { LinkState, PointView, PreviewView } from "../api/answers.ts";
import { useWording } from "../app/console-context.ts";
import { pointText } from "../texts/device-texts.ts";

/** What is selected and not operated is left after this many seconds, as at the gateway (PROTOCOL §8: TTL 10 s). */
const SELECTED_S = 10;

interface SendProps {
  readonly point: PointView;
  readonly deviceClass: string;
  readonly link: LinkState;
  readonly ready: "yes" | "no";
  /** How it stands now; undefined: the center did not say. */
  readonly onSelect: () => Promise<PreviewView | undefined>;
  /** `confirmed`: the preview that was seen; null where none is needed. */
  readonly onSend: (confirmed: string | null) => Promise<void>;
}

/** One press for a set-point; what is dangerous takes two, the second within ten seconds of the first. */
export function SendButton({ point, deviceClass, link, ready, onSelect, onSend }: SendProps) {
  const wording = useWording();
  const dangerous = point.commandClass === "K3";
  const neverWaits = point.commandClass !== "K1";
  const blocked = ready === "no" || (link === "down" && neverWaits);
  return (
    <div class="send">
      {dangerous && <p class="notice danger">{dangerText(deviceClass, wording)}</p>}
      {link === "down" && (
        <p class="notice">{wording.text(neverWaits ? "command.refused-offline" : "command.waits")}</p>
      )}
      {dangerous ? (
        <TwoSteps blocked={blocked ? "yes" : "no"} onSelect={onSelect} onSend={onSend} />
      ) : (
        <SendOnce blocked={blocked ? "yes" : "no"} onSend={onSend} />
      )}
    </div>
  );
}

/** What it does to whom, by the class of device. */
function dangerText(deviceClass: string, wording: ReturnType<typeof useWording>): string {
  return wording.textFor(`command.danger.${deviceClass}`, wording.text("command.danger"));
}

type StepProps = Pick<SendProps, "onSelect" | "onSend"> & { readonly blocked: "yes" | "no" };

function SendOnce({ blocked, onSend }: Omit<StepProps, "onSelect">) {
  const wording = useWording();
  const [busy, setBusy] = useState<"yes" | "no">("no");
  const send = (): void => {
    setBusy("yes");
    onSend(null)
      .catch(window.reportError)
      .finally(() => setBusy("no"));
  };
  return (
    <button type="button" class="primary" disabled={blocked === "yes" || busy === "yes"} onClick={send}>
      {wording.text("command.send")}
    </button>
  );
}

/** First it is shown how everything stands that matters; what was seen is confirmed with the second press. */
function TwoSteps({ blocked, onSelect, onSend }: StepProps) {
  const wording = useWording();
  const [left, setLeft] = useState(0);
  const [preview, setPreview] = useState<PreviewView | undefined>(undefined);
  useEffect(() => {
    if (left === 0) return;
    const timer = window.setTimeout(() => setLeft(left - 1), 1_000);
    return () => window.clearTimeout(timer);
  }, [left]);
  const select = async (): Promise<void> => {
    const seen = await onSelect();
    setPreview(seen);
    setLeft(seen === undefined ? 0 : SELECTED_S);
  };
  if (left === 0 || blocked === "yes" || preview === undefined)
    return (
      <button
        type="button"
        class="primary select"
        disabled={blocked === "yes"}
        onClick={() => void select().catch(window.reportError)}
      >
        {wording.text("command.select")}
      </button>
    );
  const operate = (): void => {
    setLeft(0);
    onSend(preview.preview).catch(window.reportError);
  };
  return (
    <>
      <Standing preview={preview} />
      <p class="two-steps">
        <button type="button" class="primary operate" disabled={preview.preview === null} onClick={operate}>
          {wording.text("command.operate", { n: left })}
        </button>
        <button type="button" class="quiet" onClick={() => setLeft(0)}>
          {wording.text("command.unselect")}
        </button>
      </p>
    </>
  );
}

function Standing({ preview }: { readonly preview: PreviewView }) {
  const wording = useWording();
  if (preview.preview === null)
    return (
      <p class="notice trouble" role="alert">
        {wording.text("command.unconfirmed", { why: preview.problems.join("; ") })}
      </p>
    );
  return (
    <dl class="selected" aria-label={wording.text("command.confirm")}>
      <dt class="of">{wording.text("command.confirm")}</dt>
      {preview.points.some(({ source }) => source === "told") && (
        <dt class="of">{wording.text("read.not-answered")}</dt>
      )}
      {preview.points.map(({ pointId, value, unit, source, confirmedAgeMs }) => (
        <div key={pointId}>
          <dt>{pointText(wording.language, pointId.split("/")[1] ?? pointId)}</dt>
          <dd>
            {wording.value(value, unit)}
            <small>
              {source === "read"
                ? wording.text("read.source")
                : `${wording.text("read.told")} ${wording.age(confirmedAgeMs ?? Number.POSITIVE_INFINITY)}`}
            </small>
          </dd>
        </div>
      ))}
    </dl>
  );
}
