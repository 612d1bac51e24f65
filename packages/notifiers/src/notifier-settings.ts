export type TextOrReference<Reference> = string | Reference;

interface OfKind<Kind extends string, Settings> {
  readonly kind: Kind;
  readonly settings: Settings;
}

/**
 * What the configuration says of a channel. Where its secrets are is said by references, whose form
 * is not ours to know.
 */
export type NotifierSettings<Reference> =
  | OfKind<
      "smtp",
      {
        readonly host: string;
        readonly port: number;
        readonly tls: "implicit" | "required" | "optional" | "off";
        readonly user?: string | undefined;
        readonly password?: Reference | undefined;
        readonly from: string;
        readonly to: readonly string[];
      }
    >
  | OfKind<
      "telegram",
      { readonly token: Reference; readonly chat: string; readonly server: string }
    >
  | OfKind<"slack" | "discord" | "teams", { readonly url: Reference }>
  | OfKind<
      "ntfy",
      {
        readonly server: string;
        readonly topic: TextOrReference<Reference>;
        readonly token?: Reference | undefined;
      }
    >
  | OfKind<"gotify", { readonly server: string; readonly token: Reference }>
  | OfKind<
      "webhook",
      {
        readonly url: TextOrReference<Reference>;
        readonly key?: Reference | undefined;
        readonly headers: Readonly<Record<string, TextOrReference<Reference>>>;
      }
    >
  | OfKind<"ping", { readonly url: TextOrReference<Reference> }>
  | OfKind<
      "apprise",
      { readonly command: readonly [string, ...string[]]; readonly urls: readonly Reference[] }
    >;
