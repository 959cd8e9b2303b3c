import { useEffect, useState } from "preact/hooks";
import type { GatewayView, LaneView } from "../api/answers.ts";
import { useConsole, useValue, useWording } from "../app/console-context.ts";
import { LinkBadge } from "./link-badge.tsx";

const LANES = ["A", "B", "C", "D"] as const;
const READ_EVERY_S = 3;

/** Each gateway's link, and of each lane what is here, what is still to come and what is lost. */
export function GatewaysPage() {
  const wording = useWording();
  const gateways = useGateways();
  return (
    <section class="page" aria-labelledby="page-title">
      <h1 id="page-title">{wording.text("gateways.title")}</h1>
      <table class="gateways">
        <thead>
          <tr>
            <th scope="col">{wording.text("device.gateway")}</th>
            <th scope="col">{wording.text("gateways.link")}</th>
            <th scope="col">{wording.text("gateways.heard")}</th>
            {LANES.map((lane) => (
              <th scope="col" key={lane}>
                {wording.text(`gateways.lane.${lane}`)} <small>{lane}</small>
              </th>
            ))}
            <th scope="col" class="number">
              {wording.text("gateways.quarantined")}
            </th>
          </tr>
        </thead>
        <tbody>
          {gateways.map((gateway) => (
            <GatewayRow key={gateway.id} gateway={gateway} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function GatewayRow({ gateway }: { readonly gateway: GatewayView }) {
  const parts = useConsole();
  const wording = useWording();
  useValue(parts.second);
  const model = useValue(parts.city)?.model;
  const state = model?.gatewayLink(gateway.id) ?? gateway.state;
  const heard = gateway.heardMs === null ? Number.POSITIVE_INFINITY : (model?.now() ?? 0) - gateway.heardMs;
  return (
    <tr class={state}>
      <th scope="row">
        {gateway.name}
        <small>{gateway.id}</small>
      </th>
      <td>
        <LinkBadge state={state} />
        {gateway.sinceMs !== null && <small>{wording.dayAndClock(gateway.sinceMs)}</small>}
      </td>
      <td class="age">{wording.age(Math.max(0, heard))}</td>
      {gateway.lanes.map((lane) => (
        <Lane key={lane.lane} lane={lane} />
      ))}
      <td class="number">{wording.number(gateway.quarantined)}</td>
    </tr>
  );
}

function Lane({ lane }: { readonly lane: LaneView }) {
  const wording = useWording();
  if (lane.written === 0) return <td class="lane none">{wording.text("gateways.nothing")}</td>;
  const share = Math.min(1, lane.held / lane.written);
  return (
    <td class="lane">
      <meter min={0} max={1} value={share} title={wording.share(share)} />
      <span>{wording.text("gateways.complete", { n: wording.share(share) })}</span>
      {lane.backlog > 0 && (
        <small>{wording.text("gateways.backlog", { n: wording.number(lane.backlog) })}</small>
      )}
      {lane.gaps > 0 && (
        <small class="trouble">{wording.text("gateways.lost", { n: wording.number(lane.lost) })}</small>
      )}
    </td>
  );
}

function useGateways(): readonly GatewayView[] {
  const parts = useConsole();
  const second = useValue(parts.second);
  const [gateways, setGateways] = useState<readonly GatewayView[]>([]);
  const turn = Math.floor(second / READ_EVERY_S);
  useEffect(() => {
    let current = true;
    parts.client
      .gateways()
      .then((read) => current && setGateways(read))
      // The page says when the center is lost.
      .catch(() => undefined);
    return () => {
      current = false;
    };
  }, [turn]);
  return gateways;
}
