import {
  AVRADC,
  AVRIOPort,
  AVRTimer,
  AVRUSART,
  adcConfig,
  avrInstruction,
  CPU,
  portBConfig,
  portCConfig,
  portDConfig,
  timer0Config,
  timer1Config,
  timer2Config,
  usart0Config,
} from "avr8js";

export const CLOCK_HZ = 16_000_000;
export const FLASH_BYTES = 32_768;
export const PIN_COUNT = 20;
export const SUPPLY_V = 5;

/** In UCSRB: the receiver is enabled. */
const RXEN = 0x10;

/** Timer outputs of the ATmega328P: which pin, where its mode bits and its duty register are (datasheet DS40002061A §15 to §18). */
const PWM_OUTPUTS: readonly {
  readonly pin: number;
  readonly control: number;
  readonly shift: number;
  readonly duty: number;
}[] = [
  { pin: 6, control: 0x44, shift: 6, duty: 0x47 },
  { pin: 5, control: 0x44, shift: 4, duty: 0x48 },
  { pin: 9, control: 0x80, shift: 6, duty: 0x88 },
  { pin: 10, control: 0x80, shift: 4, duty: 0x8a },
  { pin: 11, control: 0xb0, shift: 6, duty: 0xb3 },
  { pin: 3, control: 0xb0, shift: 4, duty: 0xb4 },
];

/**
 * An Arduino Uno: an ATmega328P that runs the firmware it was given, instruction by instruction. Pins are numbered as on the board:
 * 0 to 13 digital, 14 to 19 the analog ones.
 */
export class ArduinoUno {
  readonly #cpu: CPU;
  readonly #usart: AVRUSART;
  readonly #adc: AVRADC;
  readonly #ports: Readonly<Record<"b" | "c" | "d", AVRIOPort>>;
  readonly #received: number[] = [];

  constructor(
    firmware: Uint8Array,
    on: { readonly sent: (byte: number) => void; readonly pinChanged: (pin: number, level: 0 | 1) => void },
  ) {
    this.#cpu = new CPU(new Uint16Array(firmware.buffer, firmware.byteOffset, FLASH_BYTES / 2));
    for (const config of [timer0Config, timer1Config, timer2Config]) new AVRTimer(this.#cpu, config);
    this.#usart = new AVRUSART(this.#cpu, usart0Config, CLOCK_HZ);
    keepReceivedBytes(this.#cpu);
    this.#adc = new AVRADC(this.#cpu, adcConfig);
    this.#ports = {
      b: new AVRIOPort(this.#cpu, portBConfig),
      c: new AVRIOPort(this.#cpu, portCConfig),
      d: new AVRIOPort(this.#cpu, portDConfig),
    };
    this.#usart.onByteTransmit = on.sent;
    this.#usart.onRxComplete = () => this.#feed();
    for (const [port, first] of [
      [this.#ports.d, 0],
      [this.#ports.b, 8],
      [this.#ports.c, 14],
    ] as const) {
      port.addListener((now, before) => {
        for (let bit = 0; bit < 8; bit += 1) {
          const changed = ((now ^ before) >> bit) & 1;
          if (changed === 1) on.pinChanged(first + bit, ((now >> bit) & 1) === 1 ? 1 : 0);
        }
      });
    }
  }

  /** Processor cycles since power came. */
  get cycles(): number {
    return this.#cpu.cycles;
  }

  /** Bytes from the line that the processor has not taken yet. */
  get waitingBytes(): number {
    return this.#received.length;
  }

  /**
   * Runs until so many cycles have passed since power came.
   * @param lostCycles that pass with each one in which the processor works: it gets less done in the same time, while timers, UART
   * and converter keep their pace
   */
  runUntil(cycles: number, lostCycles = 0): void {
    const cpu = this.#cpu;
    // Looked up once: a bundle asks for an import by a getter, here some million times a second.
    const step = avrInstruction;
    while (cpu.cycles < cycles) {
      const begin = cpu.cycles;
      step(cpu);
      cpu.cycles += (cpu.cycles - begin) * lostCycles;
      cpu.tick();
    }
  }

  /** Puts bytes on the receive line; they enter one by one at the speed of the UART. */
  receive(bytes: Uint8Array): void {
    this.#received.push(...bytes);
    this.#feed();
  }

  /** A contact on an input pin. */
  setInput(pin: number, level: 0 | 1): void {
    const [port, bit] = this.#placeOf(pin);
    port.setPin(bit, level === 1);
  }

  /** Volts at A0 … A5. */
  setVoltage(channel: number, volts: number): void {
    this.#adc.channelValues[channel] = volts;
  }

  /** 0 … 255 where a timer drives the pin, else `undefined`. */
  dutyOf(pin: number): number | undefined {
    const output = PWM_OUTPUTS.find((other) => other.pin === pin);
    if (output === undefined) return undefined;
    const mode = ((this.#cpu.data[output.control] ?? 0) >> output.shift) & 3;
    return mode === 0 ? undefined : this.#cpu.data[output.duty];
  }

  #feed(): void {
    const next = this.#received[0];
    if (next === undefined || this.#usart.rxBusy || !this.#usart.rxEnable) return;
    if (this.#usart.writeByte(next) !== false) this.#received.shift();
  }

  #placeOf(pin: number): readonly [AVRIOPort, number] {
    if (pin < 8) return [this.#ports.d, pin];
    return pin < 14 ? [this.#ports.b, pin - 8] : [this.#ports.c, pin - 14];
  }
}

/**
 * avr8js 0.21 drops a received byte that nobody has read yet whenever UCSRB is written with the receiver enabled, as the
 * transmit interrupt does with each burst; the chip drops it only when its receiver is disabled (datasheet §20.11.3).
 */
function keepReceivedBytes(cpu: CPU): void {
  const write = cpu.writeHooks[usart0Config.UCSRB];
  if (write === undefined) throw new Error("the emulated UART has no UCSRB");
  cpu.writeHooks[usart0Config.UCSRB] = (value, before, ...rest) => write(value, before & ~RXEN, ...rest);
}
