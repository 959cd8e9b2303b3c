import { CenterApi } from "./center-api.js";
import { ageText, DeviceCard, make, write } from "./device-card.js";

const TOKEN_KEY = "nerve-token";
const RETRY_MAX_MS = 30_000;
/** The center says something at least every 15 s. */
const SILENCE_MAX_MS = 40_000;

const connection = document.getElementById("connection");
const login = document.getElementById("login");
const tokenInput = document.getElementById("token");
const problem = document.getElementById("login-problem");
const place = document.getElementById("gateways");

/** By id: what the center said of the gateway, its cards, and where it stands on the page. */
const gateways = new Map();
let connected = false;
let heardAt = 0;

login.addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(TOKEN_KEY, tokenInput.value.trim());
  tokenInput.value = "";
  void live();
});
setInterval(showAll, 1_000);
takeTokenFromFragment();
void live();

/** The fragment never reaches a server; it is taken out of the address, so that it is not shown or copied on. */
function takeTokenFromFragment() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token === null) return;
  sessionStorage.setItem(TOKEN_KEY, token);
  history.replaceState(null, "", location.pathname);
}

/** Follows the center, again and again, until the token does not work any more. */
async function live() {
  const token = sessionStorage.getItem(TOKEN_KEY);
  login.hidden = token !== null;
  if (token === null) return;
  const api = new CenterApi(token);
  for (let failures = 0; sessionStorage.getItem(TOKEN_KEY) === token; failures += 1) {
    const ended = await once(api, () => {
      failures = 0;
    });
    setConnected(false);
    if (ended?.status === 401 || ended?.status === 403) {
      sessionStorage.removeItem(TOKEN_KEY);
      login.hidden = false;
      problem.textContent = "The center does not know this token (any more).";
      tokenInput.focus();
      return;
    }
    const wait = Math.min(RETRY_MAX_MS, 500 * 2 ** Math.min(failures, 10));
    await new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random() / 2)));
  }
}

/** One stream: joined first, then the state is read, so that nothing between is missed. */
async function once(api, onGood) {
  const stop = new AbortController();
  const watch = setInterval(() => {
    if (performance.now() - heardAt > SILENCE_MAX_MS) stop.abort();
  }, 5_000);
  heardAt = performance.now();
  try {
    await api.follow((event, data) => {
      heardAt = performance.now();
      if (event !== "hello") return take(api, event, data);
      problem.textContent = "";
      onGood();
      return readAll(api)
        .then(() => setConnected(true))
        .catch(() => stop.abort());
    }, stop.signal);
    return null;
  } catch (error) {
    return error;
  } finally {
    clearInterval(watch);
  }
}

async function readAll(api) {
  const told = await api.gateways();
  for (const gateway of told) await readGateway(api, gateway);
  if (told.length === 0) write(place, "No gateway is registered yet.");
}

async function readGateway(api, gateway) {
  const known = gateways.get(gateway.id) ?? addGateway(api, gateway);
  known.gateway = gateway;
  if (known.cards.size === 0) await addDevices(api, known, "");
  await readStates(api, known);
}

function addGateway(api, gateway) {
  if (gateways.size === 0) place.replaceChildren();
  const section = make("section");
  const heading = make("h2", { textContent: gateway.name });
  const badge = make("span", { className: "badge" });
  const since = make("span", { className: "since" });
  const cards = make("div", { className: "cards" });
  const more = make("button", { type: "button", textContent: "More devices", hidden: true });
  heading.append(badge, since);
  section.append(heading, cards, more);
  place.append(section);
  const known = { gateway, badge, since, place: cards, more, cards: new Map(), last: "" };
  more.addEventListener(
    "click",
    () => void addDevices(api, known, known.last).then(() => readStates(api, known)),
  );
  gateways.set(gateway.id, known);
  return known;
}

async function addDevices(api, known, after) {
  const devices = await api.devices(known.gateway.id, after);
  for (const device of devices) {
    const card = new DeviceCard(device, (order) => api.command(order));
    known.cards.set(device.id, card);
    known.place.append(card.element);
    known.last = device.id;
  }
  known.more.hidden = devices.length < 200;
}

async function readStates(api, known) {
  takeStates(known, await api.states(known.gateway.id));
  showGateway(known, performance.now());
}

function takeStates(known, states) {
  const at = performance.now();
  for (const state of states) known.cards.get(state.pointId.split("/")[0])?.setState(state, at);
}

function take(api, event, data) {
  const known = gateways.get(data?.gatewayId ?? data?.command?.gatewayId);
  if (known !== undefined) {
    TAKE[event]?.(api, known, data);
    showGateway(known, performance.now());
  } else if (event === "link" || event === "catalogue") void readAll(api);
}

/** What each event does to the gateway it speaks of. */
const TAKE = {
  state: (_api, known, { states }) => takeStates(known, states),
  link: (_api, known, { link }) => {
    known.gateway = { ...known.gateway, link };
  },
  confirmed: (_api, known, { sweepAgesMs }) => {
    for (const card of known.cards.values()) card.confirm(sweepAgesMs, performance.now());
  },
  command: (_api, known, { command }) => {
    known.cards.get(command.pointId.split("/")[0])?.setCommand(command);
  },
  resync: (api, known) => void readStates(api, known),
  catalogue: (api, known) => {
    known.cards.clear();
    known.place.replaceChildren();
    void addDevices(api, known, "").then(() => readStates(api, known));
  },
};

function showAll() {
  const now = performance.now();
  for (const known of gateways.values()) showGateway(known, now);
}

function showGateway(known, now) {
  const { state, sinceMs } = known.gateway.link;
  known.badge.className = `badge ${connected ? state : "down"}`;
  write(known.badge, connected ? `link ${state}` : "link unknown");
  const since =
    sinceMs === null ? "never heard of" : `for ${ageText(Date.now() - sinceMs)}, since ${clockText(sinceMs)}`;
  write(known.since, `${known.gateway.id} · ${since}`);
  for (const card of known.cards.values()) card.show(connected ? state : "center", now);
}

function clockText(ms) {
  return new Date(ms).toLocaleString("en-GB", { dateStyle: "short", timeStyle: "medium" });
}

function setConnected(now) {
  connected = now;
  connection.className = `badge ${now ? "up" : "down"}`;
  write(connection, now ? "live" : "not connected: values are not current");
  showAll();
}
