import type {
  ClientSession,
  ClientSessionPublishService,
  ClientSessionRawSubscriptionService,
} from "node-opcua-client";

/** The library's session with the subscription services as they are on the wire, without its own engine on top. */
export type RawSession = ClientSession & ClientSessionRawSubscriptionService & ClientSessionPublishService;
