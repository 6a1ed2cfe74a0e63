import { Bus } from '#lib/bus';
import { listModels } from '#lib/contracts';
import { Controller, Get } from '@nestjs/common';
import { Endpoint, Tag } from '../http/endpoint.js';

/** spec: runtime.md, "Models" */
@Tag('Models')
@Controller('v1/models')
export class ModelsController {
  constructor(private readonly bus: Bus) {}

  @Get()
  @Endpoint({ access: 'account', summary: 'List the models that agents can use', response: listModels.output })
  list() {
    return this.bus.request(listModels, {});
  }
}
