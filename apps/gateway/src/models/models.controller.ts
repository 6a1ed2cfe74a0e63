import { Bus } from '#lib/bus';
import { listModels } from '#lib/contracts';
import { Controller } from '@nestjs/common';
import { Endpoint } from '../http/endpoint.js';

/** spec: runtime.md, "Models" */
@Controller('v1/models')
export class ModelsController {
  constructor(private readonly bus: Bus) {}

  @Endpoint({
    access: 'account',
    tag: 'Models',
    method: 'GET',
    path: '',
    summary: 'List the models that agents can use',
    response: listModels.output,
  })
  list() {
    return this.bus.request(listModels, {});
  }
}
