import { SETTINGS } from "./cabinet-map.ts";

/** What is so in the cabinet, apart from its contactors. */
export interface CabinetState {
  doorOpen: boolean;
  selectorLocal: boolean;
  localOn: boolean;
  rcdTripped: boolean;
  mainBreakerTripped: boolean;
  surgeArresterSpent: boolean;
  water: boolean;
  shockUntilMs: number;
  /** `sky`: as the sun has it; else somebody covers it or shines a torch on it. */
  photocell: "sky" | "dark" | "light";
  cabinetLight: boolean;
  /** What leaks through damaged insulation, mA, on top of what every cable leaks. */
  faultLeakageMa: number;
  /** Holding registers 0..6. */
  readonly settings: Uint16Array;
}

export function newCabinetState(minOnOffSec: number): CabinetState {
  const settings = Uint16Array.from(SETTINGS, ({ preset }) => preset);
  settings[3] = minOnOffSec;
  settings[4] = minOnOffSec;
  return {
    doorOpen: false,
    selectorLocal: false,
    localOn: false,
    rcdTripped: false,
    mainBreakerTripped: false,
    surgeArresterSpent: false,
    water: false,
    shockUntilMs: 0,
    photocell: "sky",
    cabinetLight: false,
    faultLeakageMa: 0,
    settings,
  };
}
