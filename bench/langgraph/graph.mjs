import { AIMessage } from '@langchain/core/messages';
import { MessagesAnnotation, StateGraph } from '@langchain/langgraph';

/** Repeats what it received: a turn without a model, as Roost's demo agent answers without one. */
export const graph = new StateGraph(MessagesAnnotation)
  .addNode('echo', ({ messages }) => ({ messages: [new AIMessage(`You said: ${messages.at(-1).content}`)] }))
  .addEdge('__start__', 'echo')
  .addEdge('echo', '__end__')
  .compile();
