#!/usr/bin/env node
// The bin is JavaScript, because the Node that finds it may be one that cannot read TypeScript.
import "../../node-version.js";

const { main } = await import("./cli.ts");
await main(process.argv);
