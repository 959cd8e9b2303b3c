import { coerceNodeId, type NodeId } from "node-opcua-client";
import { DeviceFault } from "../../domain/errors.ts";

/** The server's namespace table at one connection: it may be another at the next. */
export class NodeResolver {
  readonly #indexes: ReadonlyMap<string, number>;

  constructor(namespaces: readonly string[]) {
    this.#indexes = new Map(namespaces.map((uri, index) => [uri, index]));
  }

  /** @throws {DeviceFault} `unknown-address` for a namespace that the server does not have. */
  resolve(namespace: string, node: string, unit: string): NodeId {
    const index = this.#indexes.get(namespace);
    if (index !== undefined) return coerceNodeId(`ns=${index};${node.replaceAll("{unit}", unit)}`);
    const cause = new Error(
      `the server has no namespace ${namespace}; it has ${[...this.#indexes.keys()].join(", ")}: mend the profile, or choose the profile of this model`,
    );
    throw new DeviceFault("unknown-address", `find ${node}`, { cause });
  }

  /** As {@link resolve}, for one node of many. */
  find(
    { namespace, node }: { readonly namespace: string; readonly node: string },
    unit: string,
  ): NodeId | DeviceFault {
    try {
      return this.resolve(namespace, node, unit);
    } catch (error) {
      if (error instanceof DeviceFault) return error;
      throw error;
    }
  }
}
