import { asRoostError } from '#lib/rpc';
import { type ArgumentsHost, Catch, type RpcExceptionFilter } from '@nestjs/common';
import { type Observable, throwError } from 'rxjs';

/** What a bus handler throws, as its caller receives it: a RoostError as it is, anything else as INTERNAL and logged. */
@Catch()
export class RpcErrorFilter implements RpcExceptionFilter {
  constructor(private readonly onUnexpected: (error: unknown, subject: string) => void) {}

  catch(error: unknown, host: ArgumentsHost): Observable<never> {
    // `BusServer` passes the subject after what a handler gets.
    const subject = host.getArgByIndex<string>(2);
    const known = asRoostError(error, (unexpected) => this.onUnexpected(unexpected, subject));
    return throwError(() => known);
  }
}
