import { sealerFrom } from '#lib/auth';
import { fireTrigger, MessageId, RoostError } from '#lib/contracts';
import { Bus, CONFIG, Handles } from '#lib/bus';
import { Database } from '#lib/database';
import { Controller, Inject } from '@nestjs/common';
import type { z } from 'zod';
import type { SchedulerConfig } from '../config.js';
import { recordSent } from '../executions/close-executions.js';
import { recordRefused, type Sendable, send } from '../firing/send-executions.js';
import { acceptDelivery, type Accepted, countDelivery, refuseFlood, SECONDS_AHEAD } from './accept-delivery.js';
import { checkProof } from './proof.js';
import { readPayload } from './read-payload.js';
import { secretPlace, type TriggerRow } from './trigger-row.js';
import { renderTrigger } from './trigger-template.js';

const MAX_BODY_BYTES = 1_048_576;

@Controller()
export class FireTriggerHandler {
  private readonly sealer;

  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
    @Inject(CONFIG) config: SchedulerConfig,
  ) {
    this.sealer = sealerFrom(config);
  }

  /** Proves, renders, commits the execution, then queues its message; whoever finds it unsent later sends the same one. */
  @Handles(fireTrigger)
  async fire({ triggerId, headers, bodyBase64 }: z.output<typeof fireTrigger.input>) {
    const [trigger] = await this.database.query<TriggerRow & { ahead: number }>(
      `SELECT *, ${SECONDS_AHEAD} AS ahead FROM triggers WHERE id = $1`,
      [triggerId],
    );
    if (!trigger) throw new RoostError('NOT_FOUND', 'there is no such trigger');
    const body = Buffer.from(bodyBase64, 'base64');
    if (body.length > MAX_BODY_BYTES) throw new RoostError('PAYLOAD_TOO_LARGE', 'a webhook has at most 1 MiB');
    const deliveryId = checkProof(this.secretsOf(trigger), headers, body);
    if (!trigger.enabled) throw new RoostError('CONFLICT', 'the trigger is disabled', [{ reason: 'disabled' }]);
    refuseFlood(trigger.ahead);
    return this.deliver(await this.accept(trigger, headers, body, deliveryId));
  }

  private async accept(trigger: TriggerRow, headers: Record<string, string>, body: Buffer, deliveryId: string | null) {
    try {
      const payload = readPayload(headers, body);
      const content = renderTrigger(trigger.message_template, payload, headers);
      if (content === '')
        throw new RoostError('VALIDATION_ERROR', 'the template gives an empty message for this payload');
      return await this.database.transaction((tx) => acceptDelivery(tx, trigger, deliveryId, content));
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

  private async queue(execution: Sendable): Promise<string> {
    try {
      return await send(this.bus, execution);
    } catch (error) {
      await this.database.transaction((tx) => recordRefused(tx, execution.id, error));
      throw error;
    }
  }

  private secretsOf(trigger: TriggerRow): string[] {
    const place = secretPlace(trigger.id);
    const isInGrace = trigger.previous_until !== null && trigger.previous_until.getTime() > Date.now();
    const sealed = [trigger.secret, ...(trigger.previous_secret && isInGrace ? [trigger.previous_secret] : [])];
    return sealed.map((value) => this.sealer.open(value, place));
  }
}
