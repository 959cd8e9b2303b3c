/** The bytes of an Intel HEX file from address 0. @throws {Error} for a line that is broken. */
export function readIntelHex(text: string, size: number): Uint8Array {
  const memory = new Uint8Array(size);
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line === "") continue;
    const record = Buffer.from(line.slice(1), "hex");
    const sum = record.reduce((total, byte) => (total + byte) & 0xff, 0);
    if (line[0] !== ":" || record.length < 5 || record.length !== (record[0] ?? 0) + 5 || sum !== 0)
      throw new Error(`line ${index + 1} of the firmware is no Intel HEX record`);
    if (record.readUInt8(3) === 1) break;
    if (record.readUInt8(3) === 0) memory.set(record.subarray(4, -1), record.readUInt16BE(1));
  }
  return memory;
}
