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

/** 0: not all words occur. */
function scoreOf(text: string, words: readonly string[]): number {
  const scores = words.map((word) => scoreOfWord(text, word));
  if (scores.includes(0)) return 0;
  return scores.reduce((sum, score) => sum + score, 0) / (1 + text.length / 1_000);
}

/** A word that is the whole counts more than a beginning, and that more than a middle. */
function scoreOfWord(text: string, word: string): number {
  const at = text.indexOf(word);
  if (at === -1) return 0;
  const starts = at === 0 || /[\s-]/.test(text[at - 1] ?? "") ? 2 : 0;
  const ends = (text[at + word.length] ?? " ") === " " ? 1 : 0;
  return 1 + starts + ends + (at === 0 && ends === 1 ? 4 : 0);
}

/** Lower case without accents. */
export function fold(text: string): string {
  return text
    .normalize("NFD")
    .replace(/\p{Mn}/gu, "")
    .toLowerCase();
}
