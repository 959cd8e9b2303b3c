/** One of the 23 municipalities of Dijon Métropole. */
export interface Municipality {
  /** Code officiel géographique of INSEE. */
  readonly insee: string;
  /** In the identifiers of what stands there. */
  readonly slug: string;
  readonly name: string;
  /** Total population; npm @etalab/decoupage-administratif 6.0.0 (MIT). */
  readonly population: number;
}

export const MUNICIPALITIES: readonly Municipality[] = [
  { insee: "21003", slug: "ahuy", name: "Ahuy", population: 1_726 },
  { insee: "21105", slug: "bressey-sur-tille", name: "Bressey-sur-Tille", population: 1_124 },
  { insee: "21106", slug: "breteniere", name: "Bretenière", population: 947 },
  { insee: "21166", slug: "chenove", name: "Chenôve", population: 14_461 },
  { insee: "21171", slug: "chevigny-saint-sauveur", name: "Chevigny-Saint-Sauveur", population: 11_095 },
  { insee: "21192", slug: "corcelles-les-monts", name: "Corcelles-les-Monts", population: 662 },
  { insee: "21223", slug: "daix", name: "Daix", population: 1_555 },
  { insee: "21231", slug: "dijon", name: "Dijon", population: 163_169 },
  { insee: "21263", slug: "fenay", name: "Fénay", population: 1_765 },
  { insee: "21270", slug: "flavignerot", name: "Flavignerot", population: 235 },
  { insee: "21278", slug: "fontaine-les-dijon", name: "Fontaine-lès-Dijon", population: 9_241 },
  { insee: "21315", slug: "hauteville-les-dijon", name: "Hauteville-lès-Dijon", population: 1_228 },
  { insee: "21355", slug: "longvic", name: "Longvic", population: 8_927 },
  { insee: "21370", slug: "magny-sur-tille", name: "Magny-sur-Tille", population: 889 },
  { insee: "21390", slug: "marsannay-la-cote", name: "Marsannay-la-Côte", population: 5_513 },
  { insee: "21452", slug: "neuilly-crimolois", name: "Neuilly-Crimolois", population: 3_463 },
  { insee: "21473", slug: "ouges", name: "Ouges", population: 1_518 },
  { insee: "21481", slug: "perrigny-les-dijon", name: "Perrigny-lès-Dijon", population: 2_343 },
  { insee: "21485", slug: "plombieres-les-dijon", name: "Plombières-lès-Dijon", population: 2_568 },
  { insee: "21515", slug: "quetigny", name: "Quetigny", population: 9_244 },
  { insee: "21540", slug: "saint-apollinaire", name: "Saint-Apollinaire", population: 7_634 },
  { insee: "21605", slug: "sennecey-les-dijon", name: "Sennecey-lès-Dijon", population: 2_184 },
  { insee: "21617", slug: "talant", name: "Talant", population: 12_181 },
];
