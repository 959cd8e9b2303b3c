/** What the center answers when it refuses. */
export class CenterProblem extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** The center's interface with one token. The token travels in a header only, never in a URL. */
export class CenterApi {
  #token;

  /** @param {string} token */
  constructor(token) {
    this.#token = token;
  }

  async gateways() {
    return (await this.#ask("GET", "/api/v1/gateways")).gateways;
  }

  /** @param {string} gatewayId @param {string} after */
  async devices(gatewayId, after) {
    const page = after === "" ? "" : `&after=${after}`;
    return (await this.#ask("GET", `/api/v1/devices?limit=200&gateway=${gatewayId}${page}`)).devices;
  }

  /** @param {string} gatewayId */
  async states(gatewayId) {
    return (await this.#ask("GET", `/api/v1/state?gateway=${gatewayId}`)).states;
  }

  /** @param {object} order */
  command(order) {
    return this.#ask("POST", "/api/v1/commands", order);
  }

  /**
   * Follows the center's events until the stream ends. Read with fetch, as EventSource would need the token in the URL.
   * @param {(event: string, data: any) => void} onEvent @param {AbortSignal} signal
   */
  async follow(onEvent, signal) {
    const response = await fetch("/api/v1/events", { headers: this.#headers(), signal, cache: "no-store" });
    if (!response.ok || response.body === null) throw await problemOf(response);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) tell(block, onEvent);
    }
  }

  async #ask(method, path, body) {
    const headers = { ...this.#headers(), ...(body && { "content-type": "application/json" }) };
    const response = await fetch(path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    if (!response.ok) throw await problemOf(response);
    return response.json();
  }

  #headers() {
    return { authorization: `Bearer ${this.#token}` };
  }
}

function tell(block, onEvent) {
  const event = /^event: (.*)$/m.exec(block)?.[1];
  const data = /^data: (.*)$/m.exec(block)?.[1];
  // A block without an event is the comment that says the center lives.
  if (event === undefined || data === undefined) onEvent("comment", null);
  else onEvent(event, JSON.parse(data));
}

async function problemOf(response) {
  const answer = await response.json().catch(() => null);
  return new CenterProblem(
    response.status,
    answer?.error?.message ?? `the center answered ${response.status}`,
  );
}
