import type { LookName } from "../city/look.ts";

export type Rgb = readonly [number, number, number];
export type Form = "disc" | "ring" | "cross" | "slashed" | "triangle";
export interface LookStyle {
  readonly color: Rgb;
  readonly form: Form;
  /** Radius against the usual one. */
  readonly size: number;
  /** 0 … 1: how strongly light falls around it. */
  readonly glow: number;
}

export interface Palette {
  readonly land: string;
  readonly landHatched: string;
  readonly hatch: string;
  readonly border: string;
  readonly label: string;
  readonly halo: string;
  readonly accent: string;
  readonly looks: Readonly<Record<LookName, LookStyle>>;
}

const lamp = (color: Rgb, size: number, glow: number): LookStyle => ({ color, form: "disc", size, glow });

/** Night: light is light. */
export const DARK: Palette = {
  land: "#141b24",
  landHatched: "#10151c",
  hatch: "#3a4552",
  border: "#2f3d4d",
  label: "#b4c2d1",
  halo: "#0b1016",
  accent: "#7cc4ff",
  looks: {
    unknown: { color: [96, 108, 121], form: "cross", size: 0.9, glow: 0 },
    off: { color: [74, 92, 112], form: "ring", size: 0.9, glow: 0 },
    present: lamp([104, 144, 170], 0.9, 0),
    active: lamp([104, 236, 200], 1.1, 0),
    "level-1": lamp([122, 88, 42], 0.9, 0),
    "level-2": lamp([168, 120, 50], 0.95, 0.08),
    "level-3": lamp([212, 154, 66], 1, 0.14),
    "level-4": lamp([242, 188, 92], 1.05, 0.2),
    "level-5": lamp([255, 219, 140], 1.1, 0.28),
    old: { color: [150, 140, 176], form: "ring", size: 1, glow: 0 },
    silent: { color: [255, 138, 92], form: "slashed", size: 1.15, glow: 0 },
    alarm: { color: [255, 84, 84], form: "triangle", size: 1.7, glow: 0 },
  },
};

/** Day: light is colour on white. */
export const LIGHT: Palette = {
  land: "#ffffff",
  landHatched: "#eceff3",
  hatch: "#b6c0cb",
  border: "#c3ccd6",
  label: "#3d4a58",
  halo: "#ffffff",
  accent: "#0b62b8",
  looks: {
    unknown: { color: [128, 138, 150], form: "cross", size: 0.9, glow: 0 },
    off: { color: [133, 148, 166], form: "ring", size: 0.9, glow: 0 },
    present: lamp([64, 112, 144], 0.9, 0),
    active: lamp([0, 140, 100], 1.1, 0),
    "level-1": lamp([236, 205, 150], 0.9, 0),
    "level-2": lamp([228, 180, 100], 0.95, 0),
    "level-3": lamp([219, 150, 52], 1, 0),
    "level-4": lamp([204, 118, 16], 1.05, 0),
    "level-5": lamp([178, 88, 0], 1.1, 0),
    old: { color: [120, 106, 156], form: "ring", size: 1, glow: 0 },
    silent: { color: [206, 82, 24], form: "slashed", size: 1.15, glow: 0 },
    alarm: { color: [200, 22, 40], form: "triangle", size: 1.7, glow: 0 },
  },
};
