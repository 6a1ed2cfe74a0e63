import { recordAudit } from '#lib/audit';
import { sealerFrom } from '#lib/auth';
import { accountOf, type CallContext } from '#lib/call-context';
import { fireTrigger, MessageId, RoostError, testTrigger } from '#lib/contracts';
import { Bus, CONFIG, Handles } from '#lib/bus';
import { Database, type Transaction } from '#lib/database';
import { Controller, Inject } from '@nestjs/common';
import type { z } from 'zod';
import type { SchedulerConfig } from '../config.js';
import type { SendableExecution } from '../executions/executions.repository.js';
import { recordSent } from '../executions/outcomes.repository.js';
import { recordRefused, sendExecution } from '../firing/sending.service.js';
import { verifySignature } from './signature.js';
import { readPayload } from './read-payload.js';
import { renderTrigger } from './trigger-template.js';
import { countDelivery, findForWebhook, findTrigger, secretContext, type TriggerRow } from './triggers.repository.js';
import { acceptDelivery, type Accepted, refuseFlood } from './webhooks.service.js';

const MAX_BODY_BYTES = 1_048_576;

@Controller()
export class WebhooksController {
  private readonly sealer;

  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
    @Inject(CONFIG) config: SchedulerConfig,
  ) {
    this.sealer = sealerFrom(config);
  }

  /** Verifies, renders, commits the execution, then queues its message; a sender that finds it unsent later sends the same one. */
  @Handles(fireTrigger)
  async fire({ triggerId, headers, bodyBase64 }: z.output<typeof fireTrigger.input>) {
    const trigger = await findForWebhook(this.database, triggerId);
    const body = Buffer.from(bodyBase64, 'base64');
    requireSize(body);
    const deliveryId = verifySignature(this.secretsOf(trigger), headers, body);
    if (!trigger.enabled) throw new RoostError('CONFLICT', 'the trigger is disabled', [{ reason: 'disabled' }]);
    refuseFlood(trigger.ahead);
    return this.deliver(await this.accept(trigger, headers, body, deliveryId));
  }

  /** As a webhook with this body, but asked by the trigger's owner: it needs no proof, and is on record. */
  @Handles(testTrigger)
  async test({ payloadJson, payload, ...key }: z.output<typeof testTrigger.input>, context: CallContext) {
    const trigger = await findTrigger(this.database, key, accountOf(context));
    const body = Buffer.from(payloadJson ?? JSON.stringify(payload ?? null));
    requireSize(body);
    const target = { type: 'trigger', id: trigger.id };
    const record = (tx: Transaction) => recordAudit(tx, { action: 'trigger.tested', target });
    return this.deliver(await this.accept(trigger, { 'content-type': 'application/json' }, body, null, record));
  }

  /** `record`: what is written with the execution. */
  private async accept(
    trigger: TriggerRow,
    headers: Record<string, string>,
    body: Buffer,
    deliveryId: string | null,
    record?: (tx: Transaction) => Promise<void>,
  ) {
    try {
      const payload = readPayload(headers, body);
      const content = renderTrigger(trigger.message_template, payload, headers);
      if (content === '')
        throw new RoostError('VALIDATION_ERROR', 'the template gives an empty message for this payload');
      return await this.database.transaction(async (tx) => {
        await record?.(tx);
        return acceptDelivery(tx, trigger, deliveryId, content);
      });
    } catch (error) {
      // What is refused counts, too: reading it may cost more than a message. A flood must not block the trigger for longer.
      const isFlood = error instanceof RoostError && error.code === 'RATE_LIMITED';
      if (!isFlood) await countDelivery(this.database, trigger.id);
      throw error;
    }
  }

  private async deliver(accepted: Accepted) {
    if ('messageId' in accepted) return accepted;
    const { execution } = accepted;
    const messageId = MessageId.parse(await this.queue(execution));
    await this.database.transaction((tx) => recordSent(tx, [{ executionId: execution.id, messageId }]));
    return { messageId, executionId: execution.id };
  }

  private async queue(execution: SendableExecution): Promise<string> {
    try {
      return await sendExecution(this.bus, execution);
    } catch (error) {
      await this.database.transaction((tx) => recordRefused(tx, execution.id, error));
      throw error;
    }
  }

  private secretsOf(trigger: TriggerRow): string[] {
    const context = secretContext(trigger.id);
    const isInGrace = trigger.previous_until !== null && trigger.previous_until.getTime() > Date.now();
    const sealed = [trigger.secret, ...(trigger.previous_secret && isInGrace ? [trigger.previous_secret] : [])];
    return sealed.map((value) => this.sealer.open(value, context));
  }
}

/** Errors: PAYLOAD_TOO_LARGE. */
function requireSize(body: Buffer): void {
  if (body.length > MAX_BODY_BYTES) throw new RoostError('PAYLOAD_TOO_LARGE', 'a webhook has at most 1 MiB');
}
