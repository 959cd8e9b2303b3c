declare const brand: unique symbol;
/** A nominal type: usable wherever a `Base` is, but never made from one by accident. */
export type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };
