import { useState } from 'react';
import { CodeLine } from '../components/code.js';
import { Segmented } from '../components/segmented.js';
import { exampleRequest, type Proof, PROOFS } from './example-requests.js';

/** How another system sends a request that is taken. */
export function ExampleRequest({ url }: { url: string }) {
  const [proof, setProof] = useState<Proof>('secret');
  return (
    <div className="space-y-3">
      <Segmented
        label="How it proves itself"
        options={Object.entries(PROOFS).map(([value, { label }]) => ({ value: value as Proof, label }))}
        value={proof}
        onChange={setProof}
      />
      <p className="text-sm text-soft">{PROOFS[proof].about}</p>
      <CodeLine code={exampleRequest(proof, url)} label="Command" />
    </div>
  );
}
