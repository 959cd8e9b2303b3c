import type { CityPlan } from "./city-plan.ts";
import { type CutProxy, openCutProxy } from "./cut-proxy.ts";

/** A city in which one municipality's link to the center can be cut. */
export interface CutLine extends AsyncDisposable {
  /** The gateway behind the line. */
  readonly gatewayId: string;
  readonly proxy: Pick<CutProxy, "cut" | "mend">;
  /** For the city's options. */
  readonly centerUrl: (gateways: string, gatewayId: string) => string;
}

/** Takes the first municipality of the second process: one that shares it with others, whose links must stay. */
export async function openCutLine(plan: CityPlan): Promise<CutLine> {
  const gatewayId = plan.gatewayPrograms[1]?.municipalities[0]?.gatewayId;
  if (gatewayId === undefined) throw new RangeError("this city has only one gateway program");
  const proxy = await openCutProxy();
  return {
    gatewayId,
    proxy,
    centerUrl: (gateways, id) => {
      if (id !== gatewayId) return gateways;
      proxy.leadTo(Number(new URL(gateways).port));
      return `https://127.0.0.1:${proxy.port}`;
    },
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  };
}
