import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4Content,
  LanguageModelV4GenerateResult,
  LanguageModelV4Message,
  LanguageModelV4Text,
} from '@ai-sdk/provider';
import { isUnreadable } from '../models/finish-reason.js';
import { UnusableAnswer } from '../models/unusable-answer.js';

/** A model that writes what nobody can read again and again is not cured by being told once more. */
const MAX_IN_A_ROW = 3;

const UNREAD = '[What you wrote last could not be read, such as a malformed tool call: write it again, as it must be.]';

/**
 * A model's answer, asked for again where the provider could not read what its model wrote, such as a call. The model is
 * told so, since the same request would mostly get the same answer. Calls that could be read are answered first. Errors: as
 * of the model, UnusableAnswer.
 */
export async function readableAnswer(
  model: LanguageModelV4,
  params: LanguageModelV4CallOptions,
): Promise<LanguageModelV4GenerateResult> {
  const said: LanguageModelV4Text[] = [];
  for (let times = 1; ; times++) {
    const prompt = times === 1 ? params.prompt : [...params.prompt, ...unread(said)];
    const answer = await model.doGenerate({ ...params, prompt });
    const { finishReason, content } = answer;
    if (!isUnreadable(finishReason) || content.some(({ type }) => type === 'tool-call'))
      return { ...answer, content: [...said, ...content] };
    if (times === MAX_IN_A_ROW)
      throw new UnusableAnswer(
        `could not read what the model wrote, three times in a row (${finishReason.raw})`,
        false,
      );
    // Its words were shown already.
    said.push(...content.filter(hasWords));
  }
}

const hasWords = (part: LanguageModelV4Content): part is LanguageModelV4Text =>
  part.type === 'text' && part.text.trim() !== '';

/** What the model had said, and that the rest could not be read. */
function unread(said: LanguageModelV4Text[]): LanguageModelV4Message[] {
  const told: LanguageModelV4Message = { role: 'user', content: [{ type: 'text', text: UNREAD }] };
  if (said.length === 0) return [told];
  const text = said.map((part) => part.text).join('\n\n');
  return [{ role: 'assistant', content: [{ type: 'text', text }] }, told];
}
