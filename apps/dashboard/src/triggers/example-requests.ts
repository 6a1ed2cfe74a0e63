/** Each way in which a request proves that it comes from somebody with the secret (docs/guide/triggers.md). */
export const PROOFS = {
  secret: { label: 'Secret', about: 'For systems that can set a header.' },
  github: { label: 'GitHub', about: 'A signature of the body, as GitHub and many others make it.' },
  standard: { label: 'Standard Webhooks', about: 'A signature of id, time and body, for which there are libraries.' },
} as const;
export type Proof = keyof typeof PROOFS;

const BODY = `'{"issue": {"number": 7, "title": "It squeaks"}}'`;

/** A command that sends one; the secret is the shell's. */
export function exampleRequest(proof: Proof, url: string): string {
  const send = `curl '${url}' -H 'Content-Type: application/json' -d "$BODY"`;
  if (proof === 'secret') return `BODY=${BODY}\n${send} \\\n  -H "X-Webhook-Secret: $SECRET"`;
  if (proof === 'github')
    return [
      `BODY=${BODY}`,
      `SIGNATURE=$(printf '%s' "$BODY" | openssl dgst -sha256 -hmac "$SECRET" -r | cut -d' ' -f1)`,
      `${send} \\\n  -H "X-Hub-Signature-256: sha256=$SIGNATURE"`,
    ].join('\n');
  return [
    `BODY=${BODY}`,
    'ID=msg_1 TIME=$(date +%s)',
    `KEY=$(printf '%s' "\${SECRET#whs_}" | base64 -d | od -An -tx1 | tr -d ' \\n')`,
    `SIGNED=$(printf '%s' "$ID.$TIME.$BODY" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$KEY" -binary | base64)`,
    `${send} \\\n  -H "webhook-id: $ID" -H "webhook-timestamp: $TIME" -H "webhook-signature: v1,$SIGNED"`,
  ].join('\n');
}
