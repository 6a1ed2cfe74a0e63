/** Injection token of the address guard's policy (`GuardPolicy`) for receivers. */
export const POLICY = Symbol('roost:webhook-policy');
