/**
 * Who a local order is from. The name is the client's own word: Node gives no peer credentials of a unix socket, so
 * it is marked as claimed; that somebody may use the socket at all is the file's mode.
 */
export function crewPrincipal(name: string): string {
  return `crew/${name} (claimed)`;
}
