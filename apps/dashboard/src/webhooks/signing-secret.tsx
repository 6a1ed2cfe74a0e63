import { CodeLine } from '../components/code.js';
import { SecretOnce } from '../components/secret-once.js';

const CHECK = `import { verifyWebhook } from '@roost-ai/sdk';

const event = await verifyWebhook(rawBody, request.headers, process.env.ROOST_WEBHOOK_SECRET);`;

/** Of an endpoint, the one time that it is shown, with how a receiver uses it. */
export function SigningSecret({ secret, onClose }: { secret: string | undefined; onClose: () => void }) {
  return (
    <SecretOnce secret={secret} onClose={onClose} title="The secret of the endpoint">
      <p className="text-sm text-soft">
        Requests are signed with it as Standard Webhooks has it. Your receiver checks them over the bytes as they came:
      </p>
      <CodeLine code={CHECK} />
    </SecretOnce>
  );
}
