import { SecretOnce } from '../components/secret-once.js';
import { ExampleRequest } from './example-request.js';

/** Of a trigger, the one time that it is shown, with a request that uses it. */
export function TriggerSecret({
  trigger,
  onClose,
}: {
  trigger: { webhook_url: string; webhook_secret: string } | undefined;
  onClose: () => void;
}) {
  return (
    <SecretOnce secret={trigger?.webhook_secret} onClose={onClose} title="The secret of the trigger">
      <p className="text-sm text-soft">
        Give it to the other system. Such a request is taken, with the secret as $SECRET:
      </p>
      {trigger && <ExampleRequest url={trigger.webhook_url} />}
    </SecretOnce>
  );
}
