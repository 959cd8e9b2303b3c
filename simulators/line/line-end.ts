/** The devices' end of a serial line: a pseudo terminal, or a serial device server that passes bytes on over TCP. */
export interface LineEnd extends AsyncDisposable {
  /** `{ path }` or `{ host, port }`: where a gateway finds the line. */
  readonly reach: object;
  /** Clients that have it open, as far as the end knows; a device file does not tell. */
  readonly clients: number | undefined;
  /** What nobody takes is lost, as on a wire. */
  write(bytes: Uint8Array): void;
  /** One listener, the last; the bytes are the listener's. */
  onBytes(listener: (bytes: Buffer) => void): void;
  /** The client loses its line: the cable is pulled, or the server drops the connection. */
  unplug(): Promise<void>;
  /** It can be opened again, at the same place. */
  plug(): Promise<void>;
}
