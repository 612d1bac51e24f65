import { ComebackError } from "@comeback/core";

/** How a storage account is told who asks. */
export type AzureCredential =
  | { readonly kind: "account-key"; readonly key: string }
  /** A shared access signature: a query string that says what is allowed, signed. */
  | { readonly kind: "signature"; readonly query: string }
  /** Whoever this machine, its environment or its `az login` is. */
  | { readonly kind: "identity"; readonly isCliOnly: boolean };

/** restic's order: the account's key, a signature, and otherwise an identity. */
export function readCredential(
  env: Readonly<Record<string, string | undefined>>,
  accountName: string,
): AzureCredential {
  const key = env["AZURE_ACCOUNT_KEY"]?.trim() ?? "";
  if (key !== "") {
    if (accountName === "") throw incomplete("AZURE_ACCOUNT_KEY is set and AZURE_ACCOUNT_NAME not");
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(key)) throw incomplete("AZURE_ACCOUNT_KEY is not Base64");
    return { kind: "account-key", key };
  }
  const query = (env["AZURE_ACCOUNT_SAS"]?.trim() ?? "").replace(/^\?/, "");
  if (query !== "") {
    if (!new URLSearchParams(query).has("sig")) {
      throw incomplete("AZURE_ACCOUNT_SAS has no signature (sig=…)");
    }
    return { kind: "signature", query };
  }
  const force = env["AZURE_FORCE_CLI_CREDENTIAL"] ?? "";
  // What Go's ParseBool takes for true, as restic asks it.
  return { kind: "identity", isCliOnly: /^(1|t|T|TRUE|true|True)$/.test(force) };
}

function incomplete(why: string): ComebackError {
  return new ComebackError("backend.credentials", "the Azure credentials cannot be used", {
    why,
    next: "copy the account's name and key, or the signature, from its page in the portal again",
  });
}

/** What a text may not show: the key, and signatures, wherever they come from. */
export function withoutSecrets(credential: AzureCredential, text: string): string {
  let safe = text.replaceAll(/\bsig=[^&\s"']+/gi, "sig=…");
  if (credential.kind === "account-key") safe = safe.replaceAll(credential.key, "…");
  if (credential.kind === "signature") {
    const signature = new URLSearchParams(credential.query).get("sig") ?? "";
    for (const form of [signature, encodeURIComponent(signature)]) {
      if (form !== "") safe = safe.replaceAll(form, "…");
    }
  }
  return safe;
}

/** From when until when a signature holds, as far as it says so. */
export function validityOf(query: string): { fromMs?: number; untilMs?: number } {
  const fields = new URLSearchParams(query);
  const [from, until] = ["st", "se"].map((name) => Date.parse(fields.get(name) ?? ""));
  return {
    ...(from === undefined || Number.isNaN(from) ? {} : { fromMs: from }),
    ...(until === undefined || Number.isNaN(until) ? {} : { untilMs: until }),
  };
}
