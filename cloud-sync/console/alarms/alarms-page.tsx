import { useState } from "preact/hooks";
import type { AlarmView } from "../api/answers.ts";
import { CenterProblem } from "../api/center-client.ts";
import { useConsole, useValue, useWording } from "../app/console-context.ts";
import { ProblemNote } from "../panels/problem-note.tsx";
import { Segments } from "../panels/switches.tsx";
import { alarmText } from "../texts/alarm-texts.ts";
import { type AlarmFilter, inOrder, passes } from "./alarm-order.ts";

const FILTERS = ["unseen", "active", "shelved", "all"] as const;
const SHELF_MINUTES = 8 * 60;

/** Alarms by need: active × acknowledged, shelved (ISA-18.2). Each leads to its device. */
export function AlarmsPage() {
  const parts = useConsole();
  const wording = useWording();
  const answer = useValue(parts.alarms);
  useValue(parts.second);
  const [filter, setFilter] = useState<AlarmFilter>("unseen");
  const [problem, setProblem] = useState<CenterProblem | undefined>(undefined);
  const alarms = inOrder(answer?.alarms ?? []);
  const shown = alarms.filter((alarm) => passes(alarm, filter));
  const act = (work: Promise<AlarmView>): void => {
    setProblem(undefined);
    work
      .then(() => parts.client.alarms())
      .then(parts.alarms.set.bind(parts.alarms))
      .catch((cause: unknown) => {
        if (!(cause instanceof CenterProblem)) throw cause;
        setProblem(cause);
      });
  };
  return (
    <section class="page alarms" aria-labelledby="page-title">
      <h1 id="page-title">{wording.text("alarms.title")}</h1>
      <Segments
        label={wording.text("alarms.filter")}
        choices={FILTERS.map((key) => {
          const n = wording.number(alarms.filter((alarm) => passes(alarm, key)).length);
          return { key, text: wording.text(`alarms.filter.${key}`, { n }) };
        })}
        chosen={filter}
        onChoose={setFilter}
      />
      {problem !== undefined && <ProblemNote problem={problem} />}
      {answer !== undefined && answer.total > alarms.length && (
        <p class="notice">
          {wording.text("alarms.more", {
            n: wording.number(alarms.length),
            total: wording.number(answer.total),
          })}
        </p>
      )}
      {answer !== undefined && shown.length === 0 && <p class="notice">{wording.text("alarms.none")}</p>}
      {shown.length > 0 && <AlarmTable alarms={shown} onAct={act} />}
    </section>
  );
}

interface TableProps {
  readonly alarms: readonly AlarmView[];
  readonly onAct: (work: Promise<AlarmView>) => void;
}

function AlarmTable({ alarms, onAct }: TableProps) {
  const wording = useWording();
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{wording.text("alarms.severity")}</th>
          <th scope="col">{wording.text("alarms.what")}</th>
          <th scope="col">{wording.text("commands.device")}</th>
          <th scope="col">{wording.text("alarms.since")}</th>
          <th scope="col">{wording.text("alarms.state")}</th>
          <th scope="col">{wording.text("alarms.seen")}</th>
          <td />
        </tr>
      </thead>
      <tbody>
        {alarms.map((alarm) => (
          <AlarmRow key={alarm.number} alarm={alarm} onAct={onAct} />
        ))}
      </tbody>
    </table>
  );
}

function AlarmRow({ alarm, onAct }: { readonly alarm: AlarmView; readonly onAct: TableProps["onAct"] }) {
  const parts = useConsole();
  const wording = useWording();
  const now = useValue(parts.city)?.model.now() ?? alarm.lastAtMs;
  const { client } = parts;
  const { acknowledged, shelved } = alarm;
  return (
    <tr class={`${alarm.severity} ${alarm.clearedAtMs === null ? "active" : "cleared"}`}>
      <td>
        <span class="severity">
          <i aria-hidden="true" />
          {wording.text(`alarms.${alarm.severity}`)}
        </span>
      </td>
      <td>
        {alarmText(wording.language, alarm.name)}
        {alarm.detail !== "" && <small>{alarm.detail}</small>}
      </td>
      <td>
        <AlarmPlace alarm={alarm} />
      </td>
      <td class="age">
        {wording.age(Math.max(0, now - alarm.raisedAtMs))}
        <small>{wording.dayAndClock(alarm.raisedAtMs)}</small>
      </td>
      <td>
        <AlarmState alarm={alarm} />
      </td>
      <td>
        {acknowledged !== null && (
          <>
            {acknowledged.by}
            <small>{wording.dayAndClock(acknowledged.atMs)}</small>
          </>
        )}
      </td>
      <td class="acts">
        {acknowledged === null && (
          <button type="button" onClick={() => onAct(client.acknowledge(alarm.number))}>
            {wording.text("alarms.acknowledge")}
          </button>
        )}
        {alarm.clearedAtMs === null && shelved === null && (
          <Shelve onShelve={(reason) => onAct(client.shelve(alarm.number, SHELF_MINUTES, reason))} />
        )}
        {shelved !== null && (
          <button type="button" class="quiet" onClick={() => onAct(client.shelve(alarm.number, 0, ""))}>
            {wording.text("alarms.unshelve")}
          </button>
        )}
      </td>
    </tr>
  );
}

/** Without a link nobody knows whether it still is: the alarm stays, and says so. */
function AlarmState({ alarm }: { readonly alarm: AlarmView }) {
  const parts = useConsole();
  const wording = useWording();
  const model = useValue(parts.city)?.model;
  const { clearedAtMs, shelved, gatewayId } = alarm;
  const unlinked = gatewayId !== null && model?.gatewayLink(gatewayId) === "down";
  return (
    <>
      {clearedAtMs === null
        ? wording.text(unlinked ? "alarms.active-unlinked" : "alarms.active")
        : wording.text("alarms.cleared", { at: wording.dayAndClock(clearedAtMs) })}
      {shelved !== null && (
        <small>
          {wording.text("alarms.shelved", { by: shelved.by, until: wording.dayAndClock(shelved.untilMs) })}:{" "}
          {shelved.reason}
        </small>
      )}
    </>
  );
}

function AlarmPlace({ alarm }: { readonly alarm: AlarmView }) {
  const parts = useConsole();
  const city = useValue(parts.city);
  if (alarm.origin === "center") return <>{alarm.subject}</>;
  const key = `${alarm.gatewayId}/${alarm.subject.split("/")[0]}`;
  const place = city?.model.table.find(key);
  const municipality = city?.contours[city.model.table.municipalityOf[place ?? -1] ?? -1]?.name;
  return (
    <>
      <button type="button" class="plain" onClick={() => parts.device.set(key)}>
        {place === undefined ? alarm.subject : city?.model.table.name(place)}
      </button>
      <small>{municipality ?? alarm.gatewayId}</small>
    </>
  );
}

/** A shelved alarm says why: the second press comes with a reason. */
function Shelve({ onShelve }: { readonly onShelve: (reason: string) => void }) {
  const wording = useWording();
  const [reason, setReason] = useState<string | undefined>(undefined);
  if (reason === undefined)
    return (
      <button type="button" class="quiet" onClick={() => setReason("")}>
        {wording.text("alarms.shelve")}
      </button>
    );
  const submit = (event: Event): void => {
    event.preventDefault();
    if (reason.trim() !== "") onShelve(reason.trim());
  };
  return (
    <form class="shelve" onSubmit={submit}>
      <input
        aria-label={wording.text("alarms.why")}
        placeholder={wording.text("alarms.why")}
        value={reason}
        maxLength={500}
        onInput={(event) => setReason(event.currentTarget.value)}
      />
      <button type="submit" disabled={reason.trim() === ""}>
        {wording.text("alarms.shelve-now")}
      </button>
    </form>
  );
}
