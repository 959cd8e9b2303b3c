const HAPPY = new Set(["succeeded"]);
const UNHAPPY = new Set(["failed", "rejected", "outcome-unknown"]);
const COMMANDS_SHOWN = 3;

/** One device: its points, a form for each that can be set, and how the last commands went. */
export class DeviceCard {
  #rows = new Map();
  #commands = new Map();
  #progress;

  /** @param {any} device @param {(order: object) => Promise<any>} send */
  constructor(device, send) {
    this.element = make("section", { className: "card" });
    const heading = make("h3", { id: `device-${device.id}`, textContent: device.name });
    heading.append(make("span", { className: "since", textContent: ` ${device.id} · ${device.class}` }));
    this.element.setAttribute("aria-labelledby", heading.id);
    const table = make("table");
    table.append(headRow());
    const body = make("tbody");
    for (const point of device.points) body.append(this.#row(point));
    table.append(body);
    this.element.append(heading, table);
    for (const point of device.points) {
      if (isSettable(point)) this.element.append(this.#form(device, point, send));
    }
    this.#progress = make("ol", { className: "progress" });
    this.#progress.setAttribute("aria-live", "polite");
    this.element.append(this.#progress);
  }

  /** @param {any} state as the center gave it @param {number} at when, by performance.now() */
  setState(state, at) {
    const row = this.#rows.get(state.pointId);
    if (row === undefined) return;
    const moved = row.state !== null && row.state.value !== state.value;
    row.state = { ...state, at };
    row.element.classList.remove("moved");
    if (moved) requestAnimationFrame(() => row.element.classList.add("moved"));
  }

  /** The sweeps that found the points unchanged. */
  confirm(sweepAgesMs, at) {
    for (const row of this.#rows.values()) {
      const age = sweepAgesMs[row.state?.sweep];
      if (age === undefined) continue;
      const known = row.state.confirmedAgeMs;
      const now = known === null ? Number.POSITIVE_INFINITY : known + at - row.state.at;
      if (age < now) row.state = { ...row.state, confirmedAgeMs: age, at };
    }
  }

  /** Shows values and ages as they are now. @param {string} link @param {number} now */
  show(link, now) {
    for (const { element, state, cells } of this.#rows.values()) {
      const seen = judge(state, link, now);
      element.className = `${seen.look}${element.classList.contains("moved") ? " moved" : ""}`;
      write(cells.value, seen.value);
      write(cells.quality, seen.quality);
      write(cells.age, seen.age);
    }
  }

  /** @param {any} command */
  setCommand(command) {
    this.#commands.delete(command.id);
    this.#commands.set(command.id, command);
    const latest = [...this.#commands.values()].sort((a, b) => b.createdAtMs - a.createdAtMs);
    for (const old of latest.slice(COMMANDS_SHOWN)) this.#commands.delete(old.id);
    this.#progress.replaceChildren(...latest.slice(0, COMMANDS_SHOWN).map(commandLine));
  }

  #row(point) {
    const element = make("tr");
    const name = make("th", { scope: "row", textContent: point.name });
    const cells = {
      value: make("td", { className: "value" }),
      quality: make("td", { className: "quality" }),
      age: make("td", { className: "age" }),
    };
    element.append(name, cells.value, cells.quality, cells.age);
    this.#rows.set(point.id, { element, cells, state: null });
    return element;
  }

  #form(device, point, send) {
    const id = `order-${point.id.replace("/", "-")}`;
    const form = make("form", { className: "order" });
    const label = make("label", { htmlFor: id, textContent: labelOf(point) });
    const input = inputOf(point, id);
    const problem = make("span", { className: "bad" });
    problem.setAttribute("role", "alert");
    form.append(label, input, make("button", { type: "submit", textContent: "Set" }), problem);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      problem.textContent = "";
      try {
        const order = { gatewayId: device.gatewayId, pointId: point.id, value: orderedValue(input, point) };
        this.setCommand(await send(order));
      } catch (error) {
        problem.textContent = error.message;
      }
    });
    return form;
  }
}

/** A hazardous point is not commanded from a form. */
function isSettable(point) {
  return point.access !== "read" && point.type !== "action" && ["K1", "K2"].includes(point.commandClass);
}

function labelOf({ name, range, unit }) {
  return range === null ? name : `${name}, ${range.min} … ${range.max} ${unit ?? ""}`;
}

function inputOf(point, id) {
  if (point.type === "boolean") {
    const select = make("select", { id });
    for (const text of ["true", "false"]) select.append(make("option", { value: text, textContent: text }));
    return select;
  }
  if (point.type === "text") return make("input", { id, type: "text", required: true });
  const input = make("input", { id, type: "number", step: "any", required: true, inputMode: "decimal" });
  if (point.range !== null) Object.assign(input, { min: point.range.min, max: point.range.max });
  return input;
}

function orderedValue(input, point) {
  if (point.type === "boolean") return input.value === "true";
  return point.type === "number" ? Number(input.value) : input.value;
}

/** What may honestly be shown: a value that nobody confirms any more is unknown. */
function judge(state, link, now) {
  if (state === null) return { look: "unknown", value: "unknown", quality: "never told", age: "" };
  const age = state.confirmedAgeMs === null ? null : state.confirmedAgeMs + now - state.at;
  const text = age === null ? "age unknown" : ageText(age);
  const { value, unit, toldQuality, maxAgeMs } = state;
  if (value === null)
    return { look: "bad", value: "unknown", quality: `${toldQuality} (${state.cause})`, age: text };
  const shown = `${value} ${unit === null || unit === "1" ? "" : unit}`.trim();
  const doubt = doubtOf(link, age, maxAgeMs);
  if (doubt !== null) return { look: "unknown", value: `unknown (was ${shown})`, quality: doubt, age: text };
  return { look: toldQuality === "good" ? "good" : "warn", value: shown, quality: toldQuality, age: text };
}

function doubtOf(link, age, maxAgeMs) {
  if (link === "center") return "no connection to the center";
  if (link === "down") return "link is down";
  if (!maxAgeMs) return null;
  if (age === null) return "age unknown";
  return age > maxAgeMs ? "too old" : null;
}

export function ageText(ms) {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`;
}

function commandLine(command) {
  const point = command.pointId.split("/")[1];
  const line = make("li", { textContent: `${point} → ${command.value}: ` });
  line.dataset.command = command.id;
  line.dataset.state = command.state.name;
  const path = command.history
    .map((step) => step.state)
    .filter((name) => !["draft", "authorized"].includes(name));
  const { name } = command.state;
  const look = HAPPY.has(name) ? "good" : UNHAPPY.has(name) ? "bad" : "warn";
  line.append(make("span", { className: look, textContent: path.join(" → ") || name }));
  const why = reasonOf(command.state);
  if (why !== "") line.append(make("span", { className: "since", textContent: ` · ${why}` }));
  return line;
}

function reasonOf(state) {
  const cause = state.cause === undefined ? "" : `${state.cause}: `;
  return cause + (state.detail ?? state.evidence?.detail ?? state.by ?? "");
}

function headRow() {
  const head = make("thead");
  const row = make("tr");
  for (const textContent of ["point", "value", "quality", "age"])
    row.append(make("th", { scope: "col", textContent }));
  head.append(row);
  return head;
}

export function make(tag, properties = {}) {
  return Object.assign(document.createElement(tag), properties);
}

/** Untouched nodes are not announced anew by screen readers. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
