const KEY = "nerve.token";

/**
 * The token this tab works with: from `#token=…` of the address it was opened with, which is then removed from the
 * address and the history, or as it was typed. It ends with the tab.
 */
export function takeToken(): string {
  const match = /^#token=([^&]+)/.exec(window.location.hash);
  if (match?.[1] !== undefined) {
    keepToken(decodeURIComponent(match[1]));
    window.history.replaceState(null, "", `${window.location.pathname}#/map`);
  }
  return window.sessionStorage.getItem(KEY) ?? "";
}

export function keepToken(token: string): void {
  window.sessionStorage.setItem(KEY, token);
}

export function forgetToken(): void {
  window.sessionStorage.removeItem(KEY);
}
