import { render } from "preact";
import { CenterClient } from "../api/center-client.ts";
import { forgetToken, keepToken, takeToken } from "../api/session-token.ts";
import { NO_FILTERS } from "../city/filters.ts";
import { Observable } from "../city/observable.ts";
import { followAddress } from "./address.ts";
import { type Console, ConsoleContext } from "./console-context.ts";
import { followCenter } from "./follow-center.ts";
import { Frame } from "./frame.tsx";
import { loadPreferences } from "./preferences.ts";

const root = document.getElementById("console");
const contours = document.getElementById("contours");
if (root === null || !(contours instanceof HTMLLinkElement)) throw new Error("the page is not the console's");
const contoursUrl = contours.href;

let token = takeToken();
let following = new AbortController();
const parts: Console = {
  client: new CenterClient(() => token),
  preferences: loadPreferences(),
  city: new Observable(undefined),
  center: new Observable(token === "" ? "refused" : "connecting"),
  device: new Observable(null),
  members: new Observable([]),
  page: new Observable("map"),
  alarms: new Observable(undefined),
  filters: new Observable(NO_FILTERS),
  camera: new Observable(undefined),
  commandsMoved: new Observable(0),
  second: new Observable(0),
  spoken: new Observable(""),
  signIn(given) {
    token = given.trim();
    keepToken(token);
    follow();
  },
  signOut() {
    following.abort();
    forgetToken();
    token = "";
    parts.center.set("refused");
  },
};

function follow(): void {
  following.abort();
  following = new AbortController();
  parts.center.set("connecting");
  followCenter(parts, contoursUrl, following.signal).catch(window.reportError);
}

followAddress(parts);
if (token !== "") follow();
window.setInterval(() => {
  parts.second.set(parts.second.value + 1);
  parts.city.value?.model.judge();
}, 1_000);
render(
  <ConsoleContext.Provider value={parts}>
    <Frame />
  </ConsoleContext.Provider>,
  root,
);
