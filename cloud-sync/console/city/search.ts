import type { Contour } from "./contours.ts";
import type { PlaceTable } from "./place-table.ts";

export type Finding =
  | { readonly kind: "place"; readonly place: number; readonly score: number }
  | { readonly kind: "municipality"; readonly municipality: number; readonly score: number };

/** Finds devices by id or name and municipalities by name, whatever the accents; the best first. */
export class PlaceSearch {
  readonly #texts: readonly string[];
  readonly #names: readonly string[];

  constructor(table: PlaceTable, contours: readonly Contour[]) {
    this.#texts = table.answer.id.map((id, place) => `${id} ${fold(table.answer.name[place] ?? "")}`);
    this.#names = contours.map(({ name }) => fold(name));
  }

  find(query: string, limit: number): readonly Finding[] {
    const words = fold(query).split(/\s+/).filter(Boolean);
    if (words.length === 0) return [];
    const scored = (text: string): number => scoreOf(text, words);
    const municipalities = this.#names.map(
      (name, municipality): Finding => ({ kind: "municipality", municipality, score: scored(name) * 2 }),
    );
    const places = this.#texts.map((text, place): Finding => ({ kind: "place", place, score: scored(text) }));
    return [...municipalities, ...places]
      .filter(({ score }) => score > 0)
      .sort((left, right) => right.score - left.score)
      .slice(0, limit);
  }
}

/** 0: not all words occur. A word that is the whole counts more than a beginning, and that more than a middle. */
function scoreOf(text: string, words: readonly string[]): number {
  let score = 0;
  for (const word of words) {
    const at = text.indexOf(word);
    if (at === -1) return 0;
    const starts = at === 0 || /[\s-]/.test(text[at - 1] ?? "");
    const after = text[at + word.length] ?? " ";
    const ends = after === " ";
    score += 1 + (starts ? 2 : 0) + (ends ? 1 : 0) + (at === 0 && ends ? 4 : 0);
  }
  return score / (1 + text.length / 1_000);
}

/** Lower case without accents. */
export function fold(text: string): string {
  return text
    .normalize("NFD")
    .replace(/\p{Mn}/gu, "")
    .toLowerCase();
}
