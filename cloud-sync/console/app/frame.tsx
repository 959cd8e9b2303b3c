import { AlarmsPage } from "../alarms/alarms-page.tsx";
import { CommandsPage } from "../panels/commands-page.tsx";
import { DevicePanel } from "../panels/device-panel.tsx";
import { GatewaysPage } from "../panels/gateways-page.tsx";
import { MapPage } from "../panels/map-page.tsx";
import { SignIn } from "../panels/sign-in.tsx";
import { TopBar } from "../panels/top-bar.tsx";
import { useConsole, useValue, useWording } from "./console-context.ts";

/** The whole page: bar, one of four pages, the open device beside it. */
export function Frame() {
  const parts = useConsole();
  const wording = useWording();
  const center = useValue(parts.center);
  const page = useValue(parts.page);
  const city = useValue(parts.city);
  const device = useValue(parts.device);
  const spoken = useValue(parts.spoken);
  if (center === "refused") return <SignIn />;
  return (
    <div class="frame">
      <button type="button" class="skip" onClick={skip}>
        {wording.text("app.skip")}
      </button>
      <TopBar />
      {center === "lost" && (
        <p class="banner" role="alert">
          {wording.text("center.lost")}
        </p>
      )}
      <main id="main" tabIndex={-1}>
        {city === undefined ? (
          <p class="waiting">{wording.text("loading")}</p>
        ) : (
          <>
            {page === "map" && <MapPage city={city} />}
            {page === "alarms" && <AlarmsPage />}
            {page === "commands" && <CommandsPage />}
            {page === "gateways" && <GatewaysPage />}
            {device !== null && <DevicePanel key={device} city={city} device={device} />}
          </>
        )}
      </main>
      <p class="spoken" role="status" aria-live="polite">
        {spoken}
      </p>
    </div>
  );
}

function skip(): void {
  const map = document.querySelector<HTMLElement>(".map-hands") ?? document.getElementById("main");
  map?.focus();
}
