import { isUnseen } from "../alarms/alarm-order.ts";
import { PAGES, useConsole, useValue, useWording } from "../app/console-context.ts";
import { LanguageSwitch, ThemeSwitch } from "./switches.tsx";

export function TopBar() {
  const parts = useConsole();
  const wording = useWording();
  const page = useValue(parts.page);
  return (
    <header class="top-bar">
      <p class="brand">
        <b>Nerve</b> <span>Dijon métropole</span>
      </p>
      <nav aria-label={wording.text("nav.label")}>
        {PAGES.map((key) => (
          <button
            type="button"
            key={key}
            aria-current={key === page ? "page" : undefined}
            onClick={() => parts.page.set(key)}
          >
            {wording.text(`nav.${key}`)}
            {key === "alarms" && <AlarmCount />}
          </button>
        ))}
      </nav>
      <CenterNote />
      <Clock />
      <ThemeSwitch />
      <LanguageSwitch />
      <button type="button" class="quiet" onClick={parts.signOut}>
        {wording.text("signin.out")}
      </button>
    </header>
  );
}

/** Alarms that nobody has acknowledged and nobody has shelved. */
function AlarmCount() {
  const parts = useConsole();
  const wording = useWording();
  const alarms = useValue(parts.alarms)?.alarms.filter(isUnseen) ?? [];
  if (alarms.length === 0) return null;
  const high = alarms.some(({ severity }) => severity === "high");
  return (
    <span class={high ? "count high" : "count"} title={wording.text("alarms.unseen", { n: alarms.length })}>
      {wording.number(alarms.length)}
    </span>
  );
}

/** Whether the page follows the center, and how many gateways do. */
function CenterNote() {
  const parts = useConsole();
  const wording = useWording();
  const center = useValue(parts.center);
  const city = useValue(parts.city);
  useValue(parts.second);
  // With the map, not up to a second after it.
  useValue(city?.model.version ?? parts.second);
  const links = city?.model.countLinks() ?? { up: 0, all: 0 };
  const whole = center === "live" && links.up === links.all;
  return (
    <p class={`center-note ${whole ? "whole" : "partial"}`}>
      <i aria-hidden="true" />
      {center === "live" ? wording.text("center.live") : wording.text("center.connecting")}
      <span>{wording.text("links.all", links)}</span>
    </p>
  );
}

function Clock() {
  const parts = useConsole();
  const wording = useWording();
  useValue(parts.second);
  const now = useValue(parts.city)?.model.now();
  return <time class="clock">{now === undefined ? "" : wording.clock(now)}</time>;
}
