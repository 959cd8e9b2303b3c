import { useEffect, useRef } from "preact/hooks";
import type { DeviceView } from "../api/answers.ts";
import { type LoadedCity, useConsole, useValue, useWording } from "../app/console-context.ts";
import { CommandPanel } from "../command/command-panel.tsx";
import { PointTable } from "../points/point-table.tsx";
import { TargetTable } from "../points/target-table.tsx";
import { ReadNow } from "../read/read-now.tsx";
import { useRead, withReading } from "../read/use-read.ts";
import { HistoryPanel } from "./history-panel.tsx";
import { LinkBadge } from "./link-badge.tsx";
import { useCommands, useDevice } from "./use-device.ts";

interface DeviceProps {
  readonly city: LoadedCity;
  readonly device: string;
}

/** Everything about one device, beside the map. */
export function DevicePanel({ city, device }: DeviceProps) {
  const parts = useConsole();
  const wording = useWording();
  const { view, problem } = useDevice(device);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  useMembers(city, device, view);
  const close = (): void => {
    parts.device.set(null);
    document.querySelector<HTMLElement>(".map-hands")?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Escape") close();
  };
  return (
    <aside class="device" aria-labelledby="device-name" onKeyDown={onKeyDown}>
      <header>
        <h1 id="device-name" tabIndex={-1} ref={heading}>
          {view?.name ?? device.split("/")[1]}
        </h1>
        <button type="button" class="close" aria-label={wording.text("device.close")} onClick={close}>
          ×
        </button>
        <DeviceFacts city={city} device={device} view={view} />
      </header>
      {problem !== undefined && view === undefined && (
        <p class="notice">
          {problem.status === 404 ? wording.text("device.missing") : wording.text("problem.0")}
        </p>
      )}
      {view !== undefined && <DeviceBody city={city} view={view} />}
    </aside>
  );
}

function DeviceFacts({ city, device, view }: DeviceProps & { readonly view: DeviceView | undefined }) {
  const wording = useWording();
  const { table } = city.model;
  const place = table.find(device);
  const municipality = city.contours[table.municipalityOf[place ?? -1] ?? -1]?.name;
  const gateway = device.split("/")[0] ?? "";
  useValue(city.model.version);
  return (
    <p class="facts">
      <LinkBadge state={city.model.gatewayLink(gateway)} />
      <span>{municipality ?? gateway}</span>
      {view !== undefined && <span>{wording.textFor(`class.${view.class}`, view.class)}</span>}
      {view !== undefined && view.members.length > 0 && (
        <span>{wording.text("device.group", { n: wording.number(view.members.length) })}</span>
      )}
      <span class="id">{device}</span>
    </p>
  );
}

function DeviceBody({ city, view }: { readonly city: LoadedCity; readonly view: DeviceView }) {
  const wording = useWording();
  const commands = useCommands(view.gateway);
  useValue(city.model.version);
  useValue(useConsole().second);
  const { reading, read } = useRead(city, view);
  const shown = withReading(city, view, reading);
  const link = city.model.gatewayLink(view.gateway);
  const unlinked = link === "down";
  return (
    <div class={unlinked ? "body unlinked" : "body"}>
      {unlinked && (
        <p class="notice" role="note">
          {wording.text("device.unlinked", { gateway: view.gateway })}
        </p>
      )}
      <TargetTable city={city} view={shown} commands={commands ?? []} />
      <CommandPanel city={city} view={shown} />
      <HistoryPanel view={view} />
      <section class="points">
        <h2>{wording.text("device.points")}</h2>
        <ReadNow reading={reading} onRead={read} link={link} />
        <PointTable city={city} view={shown} />
      </section>
    </div>
  );
}

/** A group's lamps, or the lamps of a cabinet, are ringed on the map while it is open. */
function useMembers(city: LoadedCity, device: string, view: DeviceView | undefined): void {
  const { members } = useConsole();
  useEffect(() => {
    const { table } = city.model;
    const gateway = device.split("/")[0];
    const own = table.find(device);
    const listed = (view?.members ?? []).map((id) => table.find(`${gateway}/${id}`));
    const hung = table.answer.parent.flatMap((parent, place) =>
      parent === own && table.className(place) === "streetlight" ? [place] : [],
    );
    members.set(listed.length > 0 ? listed.filter((place) => place !== undefined) : hung);
    return () => members.set([]);
  }, [city, device, view?.members.length]);
}
