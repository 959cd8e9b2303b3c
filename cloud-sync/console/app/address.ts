import { type Console, PAGES } from "./console-context.ts";

/** The page and the open device stand in the address, so that they can be kept and sent on: `#/map?device=gw/lamp-1`. */
export function followAddress({ page, device }: Pick<Console, "page" | "device">): void {
  const read = (): void => {
    const [path = "", query = ""] = window.location.hash.replace(/^#\/?/, "").split("?");
    page.set(PAGES.find((each) => each === path) ?? "map");
    device.set(new URLSearchParams(query).get("device"));
  };
  const write = (): void => {
    const query = device.value === null ? "" : `?device=${device.value}`;
    const hash = `#/${page.value}${query}`;
    if (window.location.hash !== hash) window.history.pushState(null, "", hash);
  };
  read();
  page.subscribe(write);
  device.subscribe(write);
  window.addEventListener("popstate", read);
  window.addEventListener("hashchange", read);
}
