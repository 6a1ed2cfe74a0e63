/** What the server does in place of an answer to one request, or in the middle of it. */
export type McpFault =
  /** It knows the session no more. Servers answer so with 404 (the specification) or with 400 and a text about it. */
  | { kind: 'forget'; status: 404 | 400; message?: string }
  /** A status with a body of its own. */
  | { kind: 'status'; status: number; headers?: Record<string, string>; body?: string }
  /** The connection is reset before any header. */
  | { kind: 'reset' }
  /** A stream that ends (`cut`) or is reset (`break`) before the answer. `ids`: events carry ids, so it can be resumed. */
  | { kind: 'break' | 'cut'; ids?: boolean; retryMs?: number }
  /** As `break`, and who resumes is refused with this status, gets streams that end without the answer, or no response. */
  | { kind: 'lost'; resume: number | 'empty' | 'silent' }
  /** Accepted (202), a stream that stays open, or an answer to another id: never an answer. */
  | { kind: 'accepted' | 'stall' | 'other-id' }
  | { kind: 'late'; ms: number }
  /** 200 with what is no JSON-RPC message. `broken`: JSON that breaks off. */
  | { kind: 'garbage' | 'broken' }
  /** A result of so many bytes. */
  | { kind: 'huge'; bytes: number }
  /** The same answer twice. */
  | { kind: 'twice' }
  /** The answer with these members of its own, `result` or any other. */
  | { kind: 'answer'; members: object };

/** Which request a fault is for: a method, or a tool's name. */
export interface OrderedFault {
  on: string;
  fault: McpFault;
}

export interface SeenRequest {
  method: string;
  session: string | undefined;
  lastEventId: string | undefined;
  authorization: string | undefined;
}
