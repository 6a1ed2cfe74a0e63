import { Handles } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import {
  deleteAccountProviderKey,
  listAccountProviderKeys,
  openAccountProviderKeys,
  type Provider,
  RoostError,
  setAccountProviderKey,
} from '#lib/contracts';
import { Controller } from '@nestjs/common';
import { ProviderKeysService } from './provider-keys.service.js';

@Controller()
export class ProviderKeysController {
  constructor(private readonly keys: ProviderKeysService) {}

  @Handles(setAccountProviderKey)
  set({ provider, apiKey }: { provider: Provider; apiKey: string }, context: CallContext) {
    return this.keys.set(accountOf(context), provider, apiKey);
  }

  @Handles(listAccountProviderKeys)
  async list(_: object, context: CallContext) {
    return { providerKeys: await this.keys.list(accountOf(context)) };
  }

  @Handles(openAccountProviderKeys)
  async open({ accountId }: { accountId: string }, context: CallContext) {
    if (context.accountId) throw new RoostError('ACCESS_DENIED', 'provider keys are for agent-runtime alone');
    return { providerKeys: await this.keys.open(accountId) };
  }

  @Handles(deleteAccountProviderKey)
  async delete({ provider }: { provider: Provider }, context: CallContext) {
    await this.keys.delete(accountOf(context), provider);
    return { message: 'the key is deleted', provider };
  }
}
